import { createWriteStream } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { readFileIfAny } from '@cc-ci/core';
import { type DroneBuild, type DroneLine, hasEnded, isWaiting, type PlacedStep, stepsOf } from './answers.js';
import type { DroneClient } from './client.js';

export interface TailOptions {
  client: DroneClient;
  number: number;
  /** The build's parameter RUN, by which it is known to be the one. */
  run: string;
  /** The file the log is kept in; what it has already is not written again. */
  path: string;
  /** Resolves when it may be worth looking again, whether Drone could be asked or not. */
  nextLook: (soon: boolean) => Promise<void>;
  /** Aborted when Drone's list says that the build has ended: a live log that is still open is not waited for. */
  ended: AbortSignal;
  /** Aborted to stop following. */
  signal: AbortSignal;
  /** A step that was killed may store its log a moment after Drone calls it ended. Milliseconds to wait for that. */
  killedLogWaitMs: number;
}

/**
 * Follows one build to its end and keeps its log: all steps in order, lines as they come. Drone's live log holds the
 * last 5,000 writes: where some are missing, nothing is written until the step has ended, and then its stored log, in
 * which nothing is missing up to 5 MiB. So no line is lost or out of order, only late.
 * @returns the build after its end with its steps; undefined when Drone has forgotten it
 */
export async function followBuild(options: TailOptions): Promise<DroneBuild | undefined> {
  const { client, number, run, nextLook, ended, signal } = options;
  const log = await openResumedLog(options.path);
  try {
    let at = 0;
    let step = openStep(log.line);
    for (;;) {
      signal.throwIfAborted();
      const build = await client.build(number).catch(() => 'no answer' as const);
      if (build === undefined) return undefined;
      if (build !== 'no answer' && build.params?.RUN !== run) return undefined;
      let soon = false;
      if (build !== 'no answer') {
        const over = hasEnded(build.status);
        for (let next = stepsOf(build)[at]; next; next = stepsOf(build)[at]) {
          if (!over && isWaiting(next.status)) break;
          if (!over && next.status === 'running') {
            soon = !step.hasGap() && (await live(options, next, step));
            break;
          }
          if (!(await complete(options, next, step))) break;
          step.close();
          step = openStep(log.line);
          at += 1;
        }
        if (over && at >= stepsOf(build).length) return build;
      }
      // An ended build's steps are only waited for because Drone did not answer.
      await nextLook(soon || ended.aborted);
    }
  } finally {
    await log.close();
  }
}

/** Writes what comes until the step ends or a write is missing. @returns whether anything came */
async function live(
  { client, number, ended, signal }: TailOptions,
  at: PlacedStep,
  step: StepLog,
): Promise<boolean> {
  const before = step.last();
  try {
    for await (const line of client.tail(number, at.stage, at.number, AbortSignal.any([ended, signal]))) {
      if (!step.live(line)) break;
    }
  } catch {
    // The server went away; it is asked again.
  }
  return step.last() > before;
}

/** Writes what is missing of an ended step. @returns false when Drone did not answer */
async function complete(options: TailOptions, at: PlacedStep, step: StepLog): Promise<boolean> {
  const { client, number, nextLook, signal, killedLogWaitMs } = options;
  if (at.status === 'skipped') return true;
  const deadline = performance.now() + killedLogWaitMs;
  try {
    let lines = await client.stepLog(number, at.stage, at.number);
    while (lines === undefined && at.status === 'killed' && performance.now() < deadline && !signal.aborted) {
      await nextLook(true);
      lines = await client.stepLog(number, at.stage, at.number);
    }
    for (const line of lines ?? []) step.stored(line);
    return true;
  } catch {
    return false;
  }
}

/** The log of one step: Drone's writes, put together to lines. */
interface StepLog {
  /** A write from the live log. @returns false when one before it is missing */
  live(line: DroneLine): boolean;
  /** A write from the stored log; what is missing before it is gone for good. */
  stored(line: DroneLine): void;
  /** Number of the last write, from 0; -1 before the first. */
  last(): number;
  hasGap(): boolean;
  /** The step has ended: what has no newline yet is a line, too. */
  close(): void;
}

function openStep(write: (text: string) => void): StepLog {
  let last = -1;
  let partial = '';
  let gap = false;
  const add = ({ pos, out }: DroneLine) => {
    last = pos;
    const lines = (partial + out).split('\n');
    partial = lines.pop() ?? '';
    for (const text of lines) write(text.replace(/\r$/, ''));
  };
  return {
    live(line) {
      if (line.pos <= last) return true;
      gap ||= line.pos > last + 1;
      if (!gap) add(line);
      return !gap;
    },
    stored(line) {
      if (line.pos <= last) return;
      if (line.pos > last + 1) {
        write(`[${line.pos - last - 1} lines are missing here: Drone keeps the last 5 MiB of a step's log]`);
      }
      add(line);
    },
    last: () => last,
    hasGap: () => gap,
    close() {
      if (partial) write(partial);
      partial = '';
    },
  };
}

/** Appends to a log the lines it does not have yet: the same lines are given again from the first on. */
async function openResumedLog(path: string): Promise<{ line(text: string): void; close(): Promise<void> }> {
  const text = (await readFileIfAny(path)) ?? '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  // Cut off in the middle of a line by a crash.
  if (whole !== text) await truncate(path, Buffer.byteLength(whole));
  let known = whole.split('\n').length - 1;
  const file = createWriteStream(path, { flags: 'a' });
  // A full disk, say: told by `close`, after which the build is followed anew.
  file.on('error', () => undefined);
  return {
    line(line) {
      if (known === 0) file.write(`${line}\n`);
      else known -= 1;
    },
    async close() {
      file.end();
      await finished(file);
    },
  };
}
