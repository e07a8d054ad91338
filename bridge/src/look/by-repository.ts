import { allRepositories, listOrgRepos } from '../forge/lists.js';
import type { ForgeRepository } from '../forge/schemas.js';
import type { SeenComment } from '../triggers.js';
import { createBudget } from './budget.js';
import {
  type FirstSight,
  type Progress,
  progressOf,
  type Reading,
  readComments,
  readRepos,
  sinceOf,
  takeIn,
} from './reading.js';
import { createRests } from './rests.js';
import { seenComments } from './seen.js';

/** Milliseconds after which the list of repositories is asked for again. */
const RELIST_MS = 600_000;

/** Milliseconds for which a repository counts as active after something was said in it. */
const ACTIVE_MS = 1_800_000;

/** A repository of the organisation. */
interface WatchedRepo {
  name: string;
  /** How far its comments were read, by the forge's clock. */
  readTo: number;
  /** When it was last read, and when something new was last found in it, in our milliseconds. */
  readAt: number;
  activeAt: number;
}

/**
 * A look at the comments of one repository after another, for a forge that cannot be searched: within a budget of
 * requests, those where something was said lately before the others, each in its turn.
 * @throws ForgeError when a repository could not be read; it is read again in a later turn
 */
export function lookByRepository(reading: Reading): () => Promise<number> {
  const { context, now } = reading;
  const { forge, org, timing, logger } = context;
  const budget = createBudget(timing.pollBudget, timing.pollMs, now);
  let watched = new Map<string, WatchedRepo>();
  /** What readings found to be how far repositories were read, until that is kept. */
  const pending = new Map<WatchedRepo, number>();
  const rests = createRests(timing.retry, now);
  /** Repositories that were gone when they were to be read; if they are listed again, they are hidden from us. */
  let missing = new Set<string>();
  let listedAt = Number.NEGATIVE_INFINITY;
  /** When they were listed, by the forge's clock: of those that were made since nothing was read. */
  let listedTo = 0;
  let turns = 0;

  const listPage = (page: number) => {
    budget.spend();
    return listOrgRepos(forge, org, page);
  };

  async function firstSight(): Promise<FirstSight> {
    const { items, date } = await listPage(1);
    return { date, stamps: items.map(({ updated_at }) => updated_at) };
  }

  /** New ones are read from where all are known to. */
  async function relist({ clock, readTo }: Progress): Promise<void> {
    const askedAt = clock.now();
    const listed = (await allRepositories(listPage)).filter(({ archived }) => !archived);
    const isHidden = ({ full_name: repo }: ForgeRepository) => missing.has(repo);
    for (const { full_name: repo } of listed.filter(isHidden)) {
      logger.warn({ repo }, 'the forge lists this repository, but does not show its comments');
    }
    const repos = listed.filter((repo) => !isHidden(repo));
    missing = new Set();
    repos.sort((a, b) => b.updated_at - a.updated_at);
    watched = new Map(
      repos.map(({ full_name: name }) => {
        const never = Number.NEGATIVE_INFINITY;
        return [name, watched.get(name) ?? { name, readTo, readAt: never, activeAt: never }];
      }),
    );
    listedAt = now();
    listedTo = askedAt;
  }

  async function read(repo: WatchedRepo, { clock, baseline }: Progress): Promise<SeenComment[]> {
    const bot = await context.bot();
    const [askedAt, ourTime] = [clock.now(), now()];
    repo.readAt = ourTime;
    const { comments, date } = await readComments(reading, repo.name, sinceOf(repo.readTo), budget.spend);
    const stamps = comments.map(({ updated_at }) => updated_at);
    for (const stamp of stamps) clock.wrote(stamp);
    clock.dated(date);
    const newest = Math.max(askedAt, ...stamps);
    if (stamps.some((stamp) => stamp > repo.readTo)) repo.activeAt = ourTime;
    // Kept only when what was found is.
    pending.set(repo, Math.min(newest, date ?? newest));
    return seenComments(comments, repo.name, bot.id, baseline);
  }

  /**
   * The repositories whose turn it is, as many as the budget allows: alternately one of those where something was said
   * lately and one of the others, each time the one that waits the longest.
   */
  function nextOnes(): Map<string, WatchedRepo> {
    const at = now();
    const waiting = [...watched.values()].filter(({ name }) => !rests.isResting(name));
    waiting.sort((a, b) => a.readAt - b.readAt);
    const active = waiting.filter(({ activeAt }) => at - activeAt < ACTIVE_MS);
    const others = waiting.filter((repo) => !active.includes(repo));
    const chosen = new Map<string, WatchedRepo>();
    for (let left = budget.left(); left > 0; left--) {
      turns += 1;
      const [first, second] = turns % 2 === 0 ? [active, others] : [others, active];
      const next = first.shift() ?? second.shift();
      if (!next) break;
      chosen.set(next.name, next);
    }
    return chosen;
  }

  return async () => {
    await context.bot();
    const progress = await progressOf(reading, firstSight);
    if (now() - listedAt >= RELIST_MS) await relist(progress);
    pending.clear();
    const chosen = nextOnes();
    const results = await readRepos(chosen.keys(), async (name) => {
      const repo = chosen.get(name);
      return repo ? read(repo, progress) : [];
    });
    const { comments, gone, failures } = results;
    rests.note(results);
    for (const name of gone) watched.delete(name);
    missing = gone;
    // Under its new name it is read from where everything was known to: that must not move until it is listed.
    if (gone.size > 0) listedAt = Number.NEGATIVE_INFINITY;
    const marks = [...watched.values()].map((repo) => pending.get(repo) ?? repo.readTo);
    const readTo = gone.size > 0 ? progress.readTo : Math.min(listedTo, ...marks);
    const hasNews = comments.length > 0 || readTo !== progress.readTo || progress.baseline.isNew;
    const commands = hasNews ? takeIn(reading, progress, comments, readTo) : 0;
    for (const [repo, mark] of pending) repo.readTo = mark;
    const [failure] = failures.values();
    if (failures.size > 0) throw failure;
    return commands;
  };
}
