import type { ServerResponse } from 'node:http';
import { STAGES, type StageName, stageName } from '@cc-ci/core';
import { type LogFeed, type LogPlace, openLogFeed, readEvents } from './live-log.js';

/** What the server must know of runs to let people follow them. */
export interface LiveRuns {
  /** The folder of a run's record; undefined when there is none. */
  dirOf(id: string): string | undefined;
  /** Whether nothing will be added to its logs any more. */
  isOver(id: string): Promise<boolean>;
}

/** Streams of logs, as many as there are readers, one feed per run. */
export interface LiveStreams {
  /** Sends the logs of a run behind `place`, until it has ended or the reader is gone. @returns false: no such run */
  follow(id: string, place: LogPlace | undefined, response: ServerResponse): Promise<boolean>;
  /** How many readers there are. */
  readers(): number;
  close(): void;
}

/** Comments that keep a silent connection from being taken for dead, in milliseconds. */
const HEARTBEAT_MS = 15_000;

export function createLiveStreams(runs: LiveRuns): LiveStreams {
  const feeds = new Map<string, { feed: LogFeed; readers: number }>();
  const open = new Set<ServerResponse>();

  function feedOf(id: string, dir: string) {
    let shared = feeds.get(id);
    if (!shared || (shared.feed.ended() && shared.readers === 0)) {
      shared = { feed: openLogFeed(dir, () => runs.isOver(id)), readers: 0 };
      feeds.set(id, shared);
    }
    return shared;
  }

  return {
    async follow(id, place, response) {
      const dir = runs.dirOf(id);
      if (dir === undefined) return false;
      const shared = feedOf(id, dir);
      shared.readers += 1;
      open.add(response);
      const beat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
      try {
        await send(shared.feed, dir, place, response);
      } finally {
        clearInterval(beat);
        open.delete(response);
        shared.readers -= 1;
        if (shared.readers === 0) {
          shared.feed.close();
          if (feeds.get(id) === shared) feeds.delete(id);
        }
        response.end();
      }
      return true;
    },
    readers: () => open.size,
    close() {
      for (const response of open) response.destroy();
      for (const { feed } of feeds.values()) feed.close();
    },
  };
}

/** A reader's own pace: it waits for its own connection only. */
async function send(
  feed: LogFeed,
  dir: string,
  place: LogPlace | undefined,
  response: ServerResponse,
): Promise<void> {
  const known = linesKnownAt(place);
  let position = 0;
  await feed.ready;
  while (!response.destroyed) {
    const { batches, oldest } = feed.from(position);
    if (position < oldest) {
      position = oldest;
      for await (const { event, stage, last } of readEvents(dir, known, feed.released())) {
        known.set(stage, last);
        if (!(await write(response, event))) return;
      }
      continue;
    }
    for (const batch of batches) {
      position = batch.seq + 1;
      const last = known.get(batch.stage) ?? 0;
      if (batch.last <= last) continue;
      known.set(batch.stage, batch.last);
      if (!(await write(response, batch.event(last)))) return;
    }
    if (batches.length > 0) continue;
    if (feed.ended()) {
      response.write('event: end\ndata: {}\n\n');
      return;
    }
    await more(feed, response);
  }
}

/** Stages before the one of the place are known to their ends: they run one after the other. */
function linesKnownAt(place: LogPlace | undefined): Map<StageName, number> {
  const known = new Map<StageName, number>();
  if (!place) return known;
  for (const stage of STAGES) {
    if (stage === place.stage) {
      known.set(stage, place.line);
      return known;
    }
    known.set(stage, Number.MAX_SAFE_INTEGER);
  }
  return known;
}

/** @returns false when the reader is gone */
async function write(response: ServerResponse, event: string): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(event)) return true;
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
  return !response.destroyed;
}

function more(feed: LogFeed, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stop();
      response.off('close', done);
      resolve();
    };
    const stop = feed.onMore(done);
    response.on('close', done);
  });
}

/**
 * A place as it is written in addresses and event ids: `install:120`, or `120` of the stage that is named beside it.
 * undefined: from the beginning.
 */
export function parsePlace(text: string | undefined, stage: string | undefined): LogPlace | undefined {
  const [, name = stage, line = '0'] = /^(?:([a-z-]{1,20}):)?(\d{1,9})$/.exec(text ?? '') ?? [];
  const parsed = stageName.safeParse(name);
  return parsed.success ? { stage: parsed.data, line: Number(line) } : undefined;
}
