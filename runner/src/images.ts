import { setTimeout as delay } from 'node:timers/promises';
import {
  CancelledError,
  type Docker,
  describeError,
  ImagePullError,
  imageExists,
  type PullProgress,
  pullImage,
  ToolMissingError,
} from '@cc-ci/core';
import { StageFailure } from './failure.js';
import { type PullFailure, pullFailure } from './pull-failure.js';
import { type ImageReference, parseImage, registryAuth } from './registry.js';

/** As many as Docker's own client pulls layers at once. */
const AT_ONCE = 3;
/** A registry that has just failed is given this long, in milliseconds. */
const RETRY_PAUSE_MS = 2_000;
/** An engine that says nothing for so long waits for a registry that is dead, in milliseconds. */
const STALL_MS = 90_000;
/** At most one line of progress an image in this time, in milliseconds. */
const PROGRESS_EVERY_MS = 5_000;

export interface PullOptions {
  /** Aborted to cancel; its reason is thrown. */
  signal: AbortSignal;
  /** Milliseconds all images together may take. */
  timeoutMs: number;
  log: (line: string) => void;
  /** Milliseconds without a sign of life after which a pull is tried once more. */
  stallMs?: number;
}

/**
 * Brings images to the node, so that a deployment does not wait for a registry, nor fail for its limits in words that
 * hide them. An image that is there is used as it is, also where its registry has a newer one under the same name.
 * @throws StageFailure that blames the recipe for an image that no registry has or gives to everybody, and us for
 *   everything else (a rate limit, a registry that does not answer); the evidence names every image that failed
 */
export async function pullImages(
  docker: Docker,
  images: readonly string[],
  options: PullOptions,
): Promise<void> {
  const stop = new AbortController();
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const deadline = performance.now() + options.timeoutMs;
  const signal = AbortSignal.any([options.signal, timeout, stop.signal]);
  const wanted = [...new Set(images)];
  const failures: StageFailure[] = [];
  const queue = wanted.values();
  const worker = async () => {
    for (const image of queue) {
      try {
        await ensureImage(docker, image, { ...options, signal, deadline });
      } catch (error) {
        if (options.signal.aborted)
          throw options.signal.reason ?? new CancelledError('cancelled while pulling');
        if (timeout.aborted) failures.push(tooSlow(image, options.timeoutMs));
        else if (error instanceof StageFailure) failures.push(error);
        else throw error;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, wanted.length) }, worker));
  } finally {
    stop.abort();
  }
  // One that will never be there outweighs one that is not to be had today.
  const first = failures.find(({ blame }) => blame === 'recipe') ?? failures[0];
  if (first)
    throw new StageFailure(
      first.blame,
      first.message,
      failures.flatMap(({ evidence }) => evidence),
      first,
    );
}

function tooSlow(image: string, timeoutMs: number): StageFailure {
  const message = `${image} could not be pulled within ${Math.round(timeoutMs / 1000)} s`;
  return new StageFailure('ci', message, [message]);
}

type Attempt = PullOptions & { deadline: number };

async function ensureImage(docker: Docker, image: string, options: Attempt): Promise<void> {
  const reference = parseImage(image);
  if (!reference) throw new StageFailure('recipe', `${JSON.stringify(image)} is not the name of an image`);
  options.signal.throwIfAborted();
  if (await imageExists(docker, image)) return;
  const auth = await registryAuth(reference.registry);
  const attempt = () => pullOnce(docker, image, reference, auth, options);
  const failed = await attempt();
  if (!failed) return;
  if (!failed.transient || options.deadline - performance.now() <= RETRY_PAUSE_MS) throw failed.failure;
  options.log(`${failed.failure.message}; once more`);
  await delay(RETRY_PAUSE_MS, undefined, { signal: options.signal });
  const again = await attempt();
  if (again) throw again.failure;
}

/** @returns why it failed, or undefined when the image is there */
async function pullOnce(
  docker: Docker,
  image: string,
  reference: ImageReference,
  auth: string | undefined,
  { signal, log, stallMs = STALL_MS }: Attempt,
): Promise<PullFailure | undefined> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), stallMs);
  const progress = summary(image, log);
  log(`pulling ${image}${auth === undefined ? '' : `, logged in to ${reference.registry}`}`);
  const options = { auth, signal: AbortSignal.any([signal, stalled.signal]) };
  try {
    for await (const line of pullImage(docker, reference, options)) {
      timer.refresh();
      progress.see(line);
    }
    progress.end();
    return undefined;
  } catch (error) {
    if (signal.aborted || error instanceof ToolMissingError) throw error;
    if (stalled.signal.aborted)
      return pullFailure(image, `request canceled: not a word for ${stallMs / 1000} s`, auth !== undefined);
    const reason = error instanceof ImagePullError ? error.reason : describeError(error);
    return pullFailure(image, reason, auth !== undefined);
  } finally {
    clearTimeout(timer);
  }
}

/** Says now and then how far a pull is: the engine has a line for every few kilobytes. */
function summary(image: string, log: (line: string) => void) {
  const began = performance.now();
  const layers = new Map<string, { current: number; total: number; done: boolean }>();
  let told = began;
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  return {
    see({ id, status, progressDetail: { current = 0, total = 0 } }: PullProgress) {
      // The line that names the tag is about no layer.
      if (id === undefined || !/^[0-9a-f]{12}$/.test(id)) return;
      const known = layers.get(id) ?? { current: 0, total: 0, done: false };
      if (status === 'Downloading') layers.set(id, { ...known, current, total });
      else if (status === 'Download complete') layers.set(id, { ...known, current: known.total });
      else layers.set(id, { ...known, done: status === 'Pull complete' || status === 'Already exists' });
      if (performance.now() - told < PROGRESS_EVERY_MS) return;
      told = performance.now();
      const all = [...layers.values()];
      const got = all.reduce((sum, layer) => sum + layer.current, 0);
      const size = all.reduce((sum, layer) => sum + layer.total, 0);
      const done = all.filter((layer) => layer.done).length;
      log(
        `${image}: ${megabytes(got)} MB of at least ${megabytes(size)} MB, ${done} of ${all.length} layers complete`,
      );
    },
    end() {
      log(`pulled ${image} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    },
  };
}
