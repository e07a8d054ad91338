import { requestParameters, type Store, type TestRequest } from '@cc-ci/core';
import type { Build } from '../engine.js';
import { EngineError } from '../engine-error.js';
import type { DroneClient } from './client.js';
import { adopt, type DroneRow, findBuild, findRow, insertRow, noteAsked, noteEnd } from './store.js';

export interface StarterOptions {
  store: Store;
  client: DroneClient;
  branch: string;
  settleMs: number;
}

/** Starts builds, each once, whatever becomes of us or of Drone's answer. */
export interface Starter {
  /** @throws EngineError when Drone could not be asked, or its answer got lost; asked again, it finds out */
  start(request: TestRequest): Promise<Build>;
  /** Finds out about a request that is not wanted any more. @returns whether it is known now */
  settleUnwanted(row: DroneRow): Promise<boolean>;
}

const PAGE = 100;

/**
 * Drone starts a build for every request, so a request whose answer was not seen must not be repeated blindly. Each is
 * noted with the newest build there is before Drone is asked; of one without an answer (a crash of ours between asking
 * and noting, or a connection lost) the builds after that are looked through for one with this run's parameter.
 */
export function openStarter({ store, client, branch, settleMs }: StarterOptions): Starter {
  const underWay = new Map<string, Promise<Build>>();

  async function startOnce(request: TestRequest): Promise<Build> {
    const id = request.run;
    if (!findRow(store, id)) {
      const [newest] = await client.builds(1, 1);
      insertRow(store, request, newest?.number ?? 0);
    }
    const row = findRow(store, id);
    if (row?.number === undefined && row?.state === 'queued') await ask(row);
    const build = findBuild(store, id);
    if (!build) throw new Error(`build ${id} is not in the database it was just written to`);
    return build;
  }

  async function ask(row: DroneRow): Promise<void> {
    if (row.wish) {
      if (!(await settleUnwanted(row))) throw unknown(row);
      return;
    }
    if (row.askedAt !== undefined) {
      if (await adoptIfThere(row)) return;
      if (!isSettled(row.askedAt)) throw unknown(row);
    }
    noteAsked(store, row.id, Date.now());
    try {
      const { number } = await client.start(branch, requestParameters(row.request));
      adopt(store, row.id, number);
    } catch (error) {
      if (error instanceof EngineError && error.nothingStarted) noteAsked(store, row.id, undefined);
      throw error;
    }
  }

  async function settleUnwanted(row: DroneRow): Promise<boolean> {
    if (row.askedAt !== undefined) {
      if (await adoptIfThere(row)) return true;
      if (!isSettled(row.askedAt)) return false;
    }
    noteEnd(store, row.id, {
      state: row.wish?.state ?? 'cancelled',
      reason: row.wish?.reason,
      startedAt: undefined,
      finishedAt: undefined,
    });
    return true;
  }

  async function adoptIfThere(row: DroneRow): Promise<boolean> {
    let number: number | undefined;
    for (let page = 1; ; page++) {
      const builds = await client.builds(page, PAGE);
      // The first one: somebody may have pressed "restart" in Drone's pages, which copies the parameters.
      for (const build of builds) {
        if (build.number > row.after && build.params?.RUN === row.id) number = build.number;
      }
      if (builds.length < PAGE || builds.some((build) => build.number <= row.after)) break;
    }
    if (number === undefined) return false;
    adopt(store, row.id, number);
    return true;
  }

  /** Drone asks the forge before it makes a build, which takes its time: one not seen may still come. */
  const isSettled = (askedAt: number) => Date.now() - askedAt >= settleMs;

  return {
    start(request) {
      const running = underWay.get(request.run);
      if (running) return running;
      const started = startOnce(request).finally(() => underWay.delete(request.run));
      underWay.set(request.run, started);
      return started;
    },
    settleUnwanted,
  };
}

function unknown(row: DroneRow): EngineError {
  return new EngineError(
    `Drone was asked to start run ${row.id}, and its answer got lost; no build of it is to be seen yet`,
    { retry: true },
  );
}
