import type { ChildProcess } from 'node:child_process';
import { describeError, isRunning, type ProcessIdentity, sendSignal, signalGroup } from '@cc-ci/core';
import type { BuildEnd } from './builds.js';
import { buildFiles, type Claim, takeClaim } from './job.js';
import { lost, outcomeOf, readClaim, readEnd, startSupervisor } from './supervision.js';

/** A runner whose supervisor was killed notices that itself, and tears down; after this long it is told. In milliseconds. */
const NOTICE_MS = 3_000;

/** What a build is run with. */
export interface BuildCommand {
  file: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
}

/** How a build is run. */
export interface RunSettings {
  stateDir: string;
  timeoutMs: number;
  graceMs: number;
  withParent: boolean;
  command: () => BuildCommand;
  /** Why it is to be cancelled; undefined when it is not. */
  wish: () => string | undefined;
  /** Called when its supervisor has been started, and when that has ended. */
  onStart: () => void;
  onExit: () => void;
}

/** A build that has been taken, whoever runs it. */
export interface FollowedBuild {
  /**
   * Does what is to be done next, without waiting: starts its supervisor, tells that to end, cleans up after it.
   * May be called at any time, any number of times, and by one engine after another: it runs once.
   * @returns how it ended; undefined while it has not
   */
  look(): BuildEnd | undefined;
  /** Lets go of its process, which goes on. */
  leave(): void;
}

/**
 * Follows one build by what is written down of it: its claim, the end of its runner, the processes these name. What
 * this process remembers besides is only which supervisor it has started itself.
 */
export function followBuild(id: string, settings: RunSettings): FollowedBuild {
  const files = buildFiles(settings.stateDir, id);
  let child: ChildProcess | undefined;
  /** Why the supervisor we started has run nothing. */
  let failure: string | undefined;
  let orphanSince: number | undefined;

  function look(): BuildEnd | undefined {
    const claim = readClaim(files.claim);
    // Asked before its end is read: what it wrote before it ended is then surely read.
    const supervised = claim?.supervisor !== undefined && isRunning(claim.supervisor);
    const end = readEnd(files.end);
    if (end) return outcomeOf(end, settings.wish());
    if (!claim) return lookUnclaimed();
    if (!supervised) return lookUnsupervised(claim);
    if (claim.supervisor && settings.wish() !== undefined) sendSignal(claim.supervisor.pid, 'SIGTERM');
    return undefined;
  }

  function lookUnclaimed(): BuildEnd | undefined {
    const wish = settings.wish();
    if (child && failure === undefined) return undefined; // it is about to take it
    if (wish === undefined && failure === undefined) return start();
    // One that an earlier engine started may still be about to.
    if (!takeClaim(files.claim, {})) return look();
    const at = new Date().toISOString();
    if (wish !== undefined) return { state: 'cancelled', reason: wish, at };
    return { state: 'error', reason: `the runner could not be started: ${failure}`, at };
  }

  function start(): BuildEnd | undefined {
    try {
      const { file, args, cwd, env } = settings.command();
      const { timeoutMs, graceMs, withParent } = settings;
      const { claim, end } = files;
      const job = { file, args, cwd, timeoutMs, graceMs, withParent, claim, end };
      child = startSupervisor(job, files.log, env);
    } catch (error) {
      failure = describeError(error);
      return lookUnclaimed();
    }
    child.once('error', (error) => {
      failure = describeError(error);
      settings.onExit();
    });
    child.once('exit', (code, signal) => {
      failure = `its supervisor ended before it began (${signal ?? `exit code ${code}`}); its log may say why`;
      settings.onExit();
    });
    settings.onStart();
    return undefined;
  }

  /** Its supervisor was killed, or an engine took it to start nothing. */
  function lookUnsupervised({ supervisor, runner }: Claim): BuildEnd | undefined {
    if (runner && isRunning(runner)) {
      endOrphan(runner);
      return undefined;
    }
    const wish = settings.wish();
    if (wish !== undefined) return { state: 'cancelled', reason: wish, at: new Date().toISOString() };
    return lost(supervisor ? "the build's supervisor was killed" : 'the build could not be started');
  }

  function endOrphan({ pid }: ProcessIdentity): void {
    orphanSince ??= performance.now();
    const forMs = performance.now() - orphanSince;
    if (forMs > NOTICE_MS + settings.graceMs) signalGroup(pid, 'SIGKILL');
    else if (forMs > NOTICE_MS || settings.wish() !== undefined) signalGroup(pid, 'SIGTERM');
  }

  return {
    look,
    leave() {
      child?.removeAllListeners('exit');
      child?.unref();
    },
  };
}
