import { setTimeout as delay } from 'node:timers/promises';
import {
  CcCiError,
  CommandFailedError,
  type Docker,
  killMarked,
  listServiceContainers,
  listServicesByLabel,
  type RunResult,
  run,
} from '@cc-ci/core';
import { z } from 'zod';

/** The label of the service that makes backups (abra contract 6.2). */
const BOT_LABEL = 'coop-cloud.backupbot.enabled=true';
/** What abra tells the bot whose backup it wants with (abra contract 6.3); ours carry it to be found the same way. */
const STACK_MARKER = 'SERVICE';
/** Another backup holds the repository for as long as it takes; nothing tells when it lets go. In milliseconds. */
const TRY_AGAIN_MS = 1_000;

export interface RemoveSnapshotsOptions {
  /** Program that does it instead, called with the stack's name; it prints what it removed, one a line. */
  program?: string | undefined;
  signal?: AbortSignal;
  /** Milliseconds it may take. */
  timeoutMs: number;
  /** Ids of snapshots the run knows it has made, whole or as short as restic prints them. */
  recorded?: readonly string[];
  /** Whether the run came as far as a backup: then a bot that does not run is a failure. */
  backedUp?: boolean;
}

/**
 * Removes the backups that were made of an app, which nothing else does when the app is removed: a later app of its
 * name would be given them.
 * @returns the ids of the snapshots that were removed, or what the program says
 * @throws Error when they cannot be removed or looked for; it may be tried again
 */
export async function removeSnapshots(
  docker: Docker,
  stack: string,
  options: RemoveSnapshotsOptions,
): Promise<string[]> {
  const deadline = performance.now() + options.timeoutMs;
  const limits = () => ({
    timeoutMs: Math.max(1, deadline - performance.now()),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  if (options.program !== undefined) {
    const { stdout } = await run(options.program, [stack], limits());
    return stdout.split('\n').filter((line) => line.trim());
  }
  // A backup that outlives the run that asked for it would be saved after we have looked.
  await killMarked(STACK_MARKER, stack);
  const removed: string[] = [];
  for (const bot of await listServicesByLabel(docker, BOT_LABEL)) {
    const [container] = await listServiceContainers(docker, bot.ID);
    if (container !== undefined) {
      const restic = (args: readonly string[]) => runRestic(container, stack, args, deadline, limits);
      removed.push(...(await forget(restic, stack, options.recorded ?? [])));
    } else if (options.backedUp || options.recorded?.length) {
      throw new CcCiError(
        `the backup bot ${bot.Spec.Name} does not run on this node: the snapshots of ${stack} cannot be removed`,
      );
    }
  }
  return removed;
}

/** A repository of ten thousand snapshots lists some megabytes. */
const OUTPUT_CHARACTERS = 64 * 1024 * 1024;

type Restic = (args: readonly string[]) => Promise<RunResult>;

const snapshot = z.looseObject({
  id: z.string().regex(/^[0-9a-f]+$/),
  hostname: z.string().optional(),
  tags: z.array(z.string()).nullish(),
  paths: z.array(z.string()).nullish(),
});
/** A snapshot, as far as it tells whose it is. */
export type Snapshot = z.output<typeof snapshot>;

async function forget(restic: Restic, stack: string, recorded: readonly string[]): Promise<string[]> {
  const ids = (await listSnapshots(restic)).filter((it) => isOf(it, stack, recorded)).map(({ id }) => id);
  if (ids.length > 0) await restic(['forget', ...ids, '--prune']);
  return ids;
}

async function listSnapshots(restic: Restic): Promise<Snapshot[]> {
  try {
    const { stdout } = await restic(['snapshots', '--json']);
    return z.array(snapshot).parse(JSON.parse(stdout) ?? []);
  } catch (error) {
    // A bot that has never made a backup has no repository yet.
    if (error instanceof CommandFailedError && NO_REPOSITORY.test(error.trace.output)) return [];
    throw error;
  }
}

const NO_REPOSITORY =
  /(?:no such file|does not exist|not exist)[\s\S]*is there a repository|repository does not exist/i;
const LOCKED = /already locked|unable to create lock/i;

/**
 * Whether a snapshot is a stack's, and only its. How backup-bot-two marks them is not known for sure, so every way
 * counts: the stack as tag (with or without its version), as host, a volume of its among the paths, an id the run has
 * recorded. But one that holds another app's volumes too (the bot's nightly backup of all) is never ours to remove.
 */
export function isOf(
  { id, hostname, tags, paths }: Snapshot,
  stack: string,
  recorded: readonly string[],
): boolean {
  const isOurs = (tag: string) => tag === stack || tag.startsWith(`${stack}:`);
  const volumes = (paths ?? []).flatMap((path) => VOLUME.exec(path)?.[1] ?? []);
  // No other stack's name begins with this one's: it holds the run's id.
  const ours = volumes.filter((name) => name.startsWith(`${stack}_`));
  const named = (tags ?? []).filter(isOurs);
  if (ours.length < volumes.length) return false;
  if (recorded.some((known) => known.length >= 8 && id.startsWith(known))) return true;
  // Tags of others beside ours, and no volume that tells whose the content is.
  if (volumes.length === 0 && named.length < (tags?.length ?? 0)) return false;
  return hostname === stack || named.length > 0 || ours.length > 0;
}

const VOLUME = /\/volumes\/([^/]+)/;

/**
 * Constant text that a shell in the container runs; restic's arguments follow. What the bot reads from files where its
 * variables end in _FILE restic must be given as variables; they stay within the container.
 */
const WITH_SECRETS = `
if [ -z "$RESTIC_PASSWORD$RESTIC_PASSWORD_FILE$RESTIC_PASSWORD_COMMAND" ] && [ -e /run/secrets/restic_password ]; then
  export RESTIC_PASSWORD_FILE=/run/secrets/restic_password
fi
if [ -z "$AWS_SECRET_ACCESS_KEY" ] && [ -e "$AWS_SECRET_ACCESS_KEY_FILE" ]; then
  export AWS_SECRET_ACCESS_KEY="$(cat "$AWS_SECRET_ACCESS_KEY_FILE")"
fi
exec restic "$@"
`;

/** Runs restic beside the bot, and again while another of its kind holds the repository. */
async function runRestic(
  container: string,
  stack: string,
  args: readonly string[],
  deadline: number,
  limits: () => { timeoutMs: number; signal?: AbortSignal },
): Promise<RunResult> {
  const exec = (argv: readonly string[], okCodes = [0]) =>
    run(
      'docker',
      ['exec', '--env', `${STACK_MARKER}=${stack}`, container, 'sh', '-c', WITH_SECRETS, 'restic', ...argv],
      { ...limits(), okCodes, keep: OUTPUT_CHARACTERS },
    );
  for (;;) {
    try {
      return await exec(args);
    } catch (error) {
      if (!(error instanceof CommandFailedError)) {
        // What docker exec started goes on when docker exec is ended.
        await killMarked(STACK_MARKER, stack);
        throw error;
      }
      if (!LOCKED.test(error.trace.output) || performance.now() + TRY_AGAIN_MS >= deadline) throw error;
      // Takes away only what a process that is gone has left (restic's own judgement).
      await exec(['unlock'], [0, 1]);
      await delay(TRY_AGAIN_MS, undefined, limits().signal ? { signal: limits().signal } : {});
    }
  }
}
