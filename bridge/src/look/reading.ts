import type { BridgeContext } from '../context.js';
import { ForgeError } from '../forge/errors.js';
import { listRepoComments, readAll } from '../forge/lists.js';
import type { ForgeComment } from '../forge/schemas.js';
import type { Intake } from '../intake.js';
import { type LookMark, readMark, saveMark } from '../store.js';
import type { SeenComment } from '../triggers.js';
import { createForgeClock, type ForgeClock, type Now } from './clock.js';
import type { Baseline } from './seen.js';

/**
 * How far behind what is known the forge is read again, in milliseconds of its clock: its times are whole seconds, a
 * slow transaction shows up late, so does what waits for a search index, and its clock may be set back a little.
 */
export const LOOK_BACK_MS = 120_000;

/** What both ways to look work with, and what they hand over to each other. */
export interface Reading {
  context: BridgeContext;
  intake: Intake;
  now: Now;
  /** How far the forge was read; set by the first look. */
  progress: Progress | undefined;
}

/** How far the forge was read. */
export interface Progress {
  clock: ForgeClock;
  baseline: Baseline;
  /** Milliseconds by the forge's clock; nothing that it brought up to then is missing. */
  readTo: number;
}

/** What the first answer of a forge that was never read before says of its clock. */
export interface FirstSight {
  /** The date of the answer. */
  date: number | undefined;
  /** Times the forge wrote; none when it has nothing yet. */
  stamps: readonly number[];
}

/**
 * How far the forge was read. Where it never was, what is there now is older than the bridge: what was said before
 * the bridge existed was not said to it.
 */
export async function progressOf(reading: Reading, lookFirst: () => Promise<FirstSight>): Promise<Progress> {
  if (reading.progress) return reading.progress;
  const mark = readMark(reading.context.store);
  if (mark) {
    const clock = createForgeClock(mark.readTo, reading.now);
    reading.progress = { clock, baseline: { at: mark.baselineAt, isNew: false }, readTo: mark.readTo };
    return reading.progress;
  }
  const { date = 0, stamps } = await lookFirst();
  const newest = Math.max(0, ...stamps);
  const clock = createForgeClock(newest, reading.now);
  // Not kept: if this look fails, the next one sets the baseline.
  return { clock, baseline: { at: Math.max(date, newest), isNew: true }, readTo: newest };
}

/** From when on to read, so that nothing is missed that comes late. */
export function sinceOf(readTo: number): number {
  return readTo - LOOK_BACK_MS;
}

/**
 * Takes in what a look found, and keeps how far the forge is read now, in one transaction.
 * @returns how many new commands there are
 * @throws SqliteError when nothing can be kept; then nothing was taken
 */
export function takeIn(
  reading: Reading,
  { clock, baseline }: Progress,
  comments: readonly SeenComment[],
  readTo: number,
): number {
  const { context, intake } = reading;
  const mark: LookMark = { baselineAt: baseline.at, readTo };
  const inOrder = comments.toSorted((a, b) => a.commentId - b.commentId);
  const commands = intake.take(inOrder, 'poll', () => saveMark(context.store, mark));
  reading.progress = { clock, baseline: { ...baseline, isNew: false }, readTo };
  return commands;
}

/** All comments of a repository made or edited since a time. @throws ForgeError */
export async function readComments(
  { context: { forge } }: Reading,
  repo: string,
  since: number,
  onRequest: () => void = () => undefined,
): Promise<{ comments: ForgeComment[]; date: number | undefined }> {
  const { items, date } = await readAll(`the list of comments in ${repo}`, (page) => {
    onRequest();
    return listRepoComments(forge, repo, { since, page });
  });
  return { comments: items, date };
}

/** What came of reading several repositories. */
export interface RepoResults {
  comments: SeenComment[];
  /** Repositories that were read. */
  read: Set<string>;
  /** Repositories the forge no longer has under this name. */
  gone: Set<string>;
  /** Repositories that could not be read, and what kept them from it. */
  failures: Map<string, unknown>;
}

/**
 * Reads repositories one after another. One that fails keeps no other from being read, but a forge that limits us, or
 * does not answer twice in a row, is left alone.
 */
export async function readRepos(
  repos: Iterable<string>,
  read: (repo: string) => Promise<SeenComment[]>,
): Promise<RepoResults> {
  const results: RepoResults = { comments: [], read: new Set(), gone: new Set(), failures: new Map() };
  let silences = 0;
  for (const repo of repos) {
    try {
      results.comments.push(...(await read(repo)));
      results.read.add(repo);
      silences = 0;
    } catch (error) {
      if (isGone(error)) {
        results.gone.add(repo);
        continue;
      }
      results.failures.set(repo, error);
      if (!(error instanceof ForgeError) || error.kind === 'rate-limited') break;
      silences = error.kind === 'unavailable' ? silences + 1 : 0;
      if (silences === 2) break;
    }
  }
  return results;
}

/** Whether the forge says that there is no such repository, or that it goes by another name now. */
function isGone(error: unknown): boolean {
  if (!(error instanceof ForgeError)) return false;
  return error.kind === 'not-found' || [301, 302, 307, 308].includes(error.status ?? 0);
}
