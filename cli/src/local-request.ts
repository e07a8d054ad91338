import { basename, resolve } from 'node:path';
import {
  type Config,
  commitSha,
  describeIssues,
  InputError,
  newRunId,
  type TestRequest,
  testRequest,
} from '@cc-ci/core';
import { parse } from './parse.js';
import { listRefs, refName, resolveRef } from './refs.js';
import { type Snapshot, snapshot } from './worktree.js';

/** What `cc-ci run` was asked for. An engine gives run, ref and src; a person may leave out all three. */
export interface RequestFlags {
  run?: string;
  /** Its name, or `.`: the folder's, whose working tree is tested. */
  recipe?: string;
  ref?: string;
  src?: string;
  dir?: string;
  origin?: string;
  repo?: string;
  pr?: string;
  requestedBy?: string;
}

/** A request with every name resolved to a commit. */
export interface LocalRequest {
  request: TestRequest;
  /** How the commit was found, for people. */
  what: string;
  snapshot: Snapshot | undefined;
  /** Removes what was made for this request. Twice is the same as once. */
  close(): Promise<void>;
}

/** Stands for a commit that is not known yet while the rest of a request is checked. */
const UNKNOWN_COMMIT = '0'.repeat(40);

/**
 * Resolves what a person asked for to one commit, before anything is started: a working tree to a snapshot of it, a
 * branch, tag or beginning of a commit id by asking the repository. A full commit id is taken as it is.
 * @throws InputError when something is malformed or not to be found; then nothing of it is left
 */
export async function resolveLocalRequest(
  flags: RequestFlags,
  config: Config<'common' | 'runner'>,
  signal: AbortSignal,
): Promise<LocalRequest> {
  const { dir, recipe, ref, src, origin, repo, pr, requestedBy } = withWorktree(flags);
  if (dir !== undefined && (ref !== undefined || src !== undefined)) {
    throw new InputError(
      `--dir tests a working tree as it is; it cannot go with ${ref === undefined ? '--src' : '--ref'}`,
      {
        hint: 'leave one of them out',
      },
    );
  }
  if (ref !== undefined) parse(refName, ref, 'ref');
  const known = parseRequest({
    run: flags.run ?? newRunId(),
    recipe,
    ref: UNKNOWN_COMMIT,
    src: src ?? `${config.runner.recipesUrl}/${recipe}.git`,
    origin,
    repo,
    pr,
    requestedBy,
  });
  if (dir !== undefined) {
    const taken = await snapshot(dir, { stateDir: config.common.stateDir, run: known.run, signal });
    return {
      request: { ...known, ref: taken.ref, src: taken.src },
      what: worktreeWords(taken),
      snapshot: taken,
      close: taken.close,
    };
  }
  const found = commitSha.safeParse(ref).success
    ? { commit: ref ?? '', what: '' }
    : resolveRef(await listRefs(known.src, signal), ref, known.src);
  return {
    request: { ...known, ref: found.commit },
    what: found.what,
    snapshot: undefined,
    close: async () => undefined,
  };
}

function withWorktree(flags: RequestFlags): RequestFlags {
  if (flags.recipe !== '.') return flags;
  const dir = flags.dir ?? '.';
  return { ...flags, dir, recipe: basename(resolve(dir)) };
}

/** A request whose parts are all there. @throws InputError that names every part that is missing or malformed */
export function parseRequest(parts: unknown): TestRequest {
  const parsed = testRequest.safeParse(parts);
  if (parsed.success) return parsed.data;
  throw new InputError(describeIssues(parsed.error).join('; '), { hint: 'cc-ci run --help' });
}

const NAMED = 3;

function worktreeWords({ dir, head, changed }: Snapshot): string {
  if (changed.length === 0) return `the working tree ${dir}, where nothing is changed`;
  const more = changed.length > NAMED ? ` and ${changed.length - NAMED} more` : '';
  return `the working tree ${dir}: ${head.slice(0, 8)} with changes in ${changed.slice(0, NAMED).join(', ')}${more}`;
}
