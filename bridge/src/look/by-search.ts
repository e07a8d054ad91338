import { ForgeError } from '../forge/errors.js';
import { type Page, readAll, searchPulls } from '../forge/lists.js';
import type { ForgeIssue } from '../forge/schemas.js';
import {
  type FirstSight,
  type Progress,
  progressOf,
  type Reading,
  type RepoResults,
  readComments,
  readRepos,
  sinceOf,
  takeIn,
} from './reading.js';
import { createRests } from './rests.js';
import { seenComments } from './seen.js';

/** The forge has no search over an owner's repositories that could be used. */
export class NoSearchError extends Error {
  override readonly name = 'NoSearchError';
}

/** Answers of a forge that does not know the search, or what it is asked. */
const NO_SEARCH = [400, 404, 405, 422, 501];

/**
 * Milliseconds after which the second is surely over in which a pull request was last changed. Until then its comments
 * are read again, whether it looks the same or not.
 */
const SETTLED_MS = 2_000;

/** A pull request as a look found it: what it is called, and what it looks like as long as nothing happens to it. */
interface ListedPull {
  key: string;
  repo: string;
  look: string;
  updatedAt: number;
}

/**
 * A look at the pull requests of the organisation that changed since the last one, by the forge's search, and at the
 * comments of their repositories. One request while nothing happens, however many repositories there are.
 *
 * Closed pull requests are listed too: who comments on one is told so, and one that is closed right after a comment
 * must not take it along.
 * @throws NoSearchError when the forge cannot be searched
 * @throws ForgeError when it could not be read, or only in part: what was not read is read by a later look
 */
export function lookBySearch(reading: Reading): () => Promise<number> {
  const { context } = reading;
  const { forge, org, logger } = context;
  /** Pull requests whose comments need not be read again as long as they look like this. */
  let known = new Map<string, string>();
  /** Since when (our milliseconds) those of the last look have looked as they do. */
  let sightings = new Map<string, { look: string; at: number }>();
  const rests = createRests(context.timing.retry, reading.now);

  const isNews = ({ key, look }: ListedPull) => known.get(key) !== look;

  function sighted(pulls: readonly ListedPull[], at: number): typeof sightings {
    return new Map(
      pulls.map(({ key, look }) => {
        const earlier = sightings.get(key);
        return [key, earlier?.look === look ? earlier : { look, at }];
      }),
    );
  }

  async function list(since: number): Promise<{ pulls: ListedPull[]; date: number | undefined }> {
    const { items, date } = await readAll('the list of pull requests', (page) =>
      searched(searchPulls(forge, org, { since, page })),
    );
    return { pulls: ownPulls(items, org), date };
  }

  async function firstSight(): Promise<FirstSight> {
    const { items, date } = await searched(searchPulls(forge, org, { since: 0, page: 1 }));
    return { date, stamps: ownPulls(items, org).map(({ updatedAt }) => updatedAt) };
  }

  async function read(repos: Iterable<string>, since: number, progress: Progress): Promise<RepoResults> {
    const bot = await context.bot();
    return readRepos(repos, async (repo) => {
      const { comments } = await readComments(reading, repo, since);
      return seenComments(comments, repo, bot.id, progress.baseline);
    });
  }

  /**
   * Reads the repositories of pull requests; those that are gone under that name are looked for under another.
   * `isWhole`: none was left out because the forge fails about it.
   */
  async function readAllOf(pulls: readonly ListedPull[], since: number, progress: Progress) {
    const wanted = new Set(pulls.filter(isNews).map(({ repo }) => repo));
    const awake = [...wanted].filter((repo) => !rests.isResting(repo));
    awake.sort((a, b) => Number(rests.hasFailed(a)) - Number(rests.hasFailed(b)));
    const results = await read(awake, since, progress);
    rests.note(results);
    const isWhole = awake.length === wanted.size;
    if (results.gone.size === 0) return { ...results, isWhole };
    const again = (await list(since)).pulls.filter(isNews).map(({ repo }) => repo);
    const isOpen = (repo: string) => !results.read.has(repo) && !rests.isResting(repo);
    const rest = await read(
      new Set(again.filter((repo) => isOpen(repo) && !results.failures.has(repo))),
      since,
      progress,
    );
    rests.note(rest);
    for (const repo of rest.gone) {
      logger.warn(
        { repo },
        'the forge lists pull requests of this repository, but does not show its comments',
      );
    }
    return {
      comments: [...results.comments, ...rest.comments],
      read: new Set([...results.read, ...results.gone, ...rest.read]),
      failures: new Map([...results.failures, ...rest.failures]),
      isWhole,
    };
  }

  return async () => {
    await context.bot();
    const progress = await progressOf(reading, firstSight);
    const { clock, readTo } = progress;
    const since = sinceOf(readTo);
    const [askedAt, ourTime] = [clock.now(), reading.now()];
    const { pulls, date } = await list(since);
    for (const { updatedAt } of pulls) clock.wrote(updatedAt);
    clock.dated(date);
    // By the time of the question: whatever came while repositories were read is for the next look.
    const newest = Math.max(askedAt, ...pulls.map(({ updatedAt }) => updatedAt));
    const nextReadTo = Math.min(newest, date ?? newest);
    // The forge's clock was set back: what was read then is not what is to be read from now on.
    if (nextReadTo < readTo) known.clear();

    if (!pulls.some(isNews) && !progress.baseline.isNew) {
      reading.progress = { ...progress, readTo: nextReadTo };
      return 0;
    }
    sightings = sighted(pulls, ourTime);
    const { comments, read: done, failures, isWhole } = await readAllOf(pulls, since, progress);
    const isRead = isWhole && failures.size === 0;
    const commands = takeIn(reading, progress, comments, isRead ? nextReadTo : readTo);
    const isSettled = ({ key, updatedAt }: ListedPull) =>
      updatedAt + SETTLED_MS <= newest || (sightings.get(key)?.at ?? ourTime) + SETTLED_MS <= ourTime;
    known = new Map(
      pulls
        .filter((pull) => !isNews(pull) || (done.has(pull.repo) && isSettled(pull)))
        .map(({ key, look }) => [key, look]),
    );
    const [failure] = failures.values();
    if (failures.size > 0) throw failure;
    return commands;
  };
}

/** @throws NoSearchError for an answer that says that there is no such search */
async function searched(answer: Promise<Page<ForgeIssue>>): Promise<Page<ForgeIssue>> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ForgeError) || !NO_SEARCH.includes(error.status ?? 0)) throw error;
    throw new NoSearchError(error.message, { cause: error });
  }
}

/**
 * The pull requests of an owner.
 * @throws NoSearchError when all are other owners': the forge does not understand whose are asked for
 */
function ownPulls(issues: readonly ForgeIssue[], owner: string): ListedPull[] {
  const pulls = issues.flatMap(({ number, state, comments, repository, updated_at: updatedAt }) => {
    const repo = repository?.full_name ?? '';
    if (repo.split('/')[0]?.toLowerCase() !== owner.toLowerCase()) return [];
    // The number of comments tells of a second one within the same second.
    const look = `${updatedAt} ${comments ?? ''} ${state}`;
    return [{ key: `${repo}#${number}`, repo, look, updatedAt }];
  });
  if (issues.length > 0 && pulls.length === 0) {
    throw new NoSearchError(`the search for pull requests of ${owner} finds only those of others`);
  }
  return pulls;
}
