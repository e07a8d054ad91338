import { fileURLToPath } from 'node:url';
import { createLogger, loadConfig } from '@cc-ci/core';
import type { Build, Engine } from '@cc-ci/engine';
import { startBridge } from '../start.js';
import type { BurstReport } from './hook-burst.js';

/**
 * Serves the bridge of the burst in this process: the real one, over an engine whose builds end at once. It tells the
 * parent where it listens, answers its every message with a report, and ends with it.
 */
export async function serveBurst(): Promise<void> {
  /** Builds of each pull request. */
  const built: Record<string, number> = {};
  const logger = createLogger('bridge', 'error');
  const bridge = await startBridge(
    loadConfig(['common', 'bridge']),
    engineThatCounts(built) as Engine,
    logger,
  );
  process.on('message', () => {
    const report: BurstReport = { built, peakMb: process.resourceUsage().maxRSS / 1024 };
    process.send?.(report);
  });
  process.once('disconnect', () => void bridge.stop());
  process.send?.({ url: bridge.url });
}

function engineThatCounts(built: Record<string, number>): Pick<Engine, 'start' | 'get' | 'list'> {
  const builds = new Map<string, Build>();
  return {
    async start(request) {
      const known = builds.get(request.run);
      if (known) return known;
      const pull = `${request.repo}#${request.pr}`;
      built[pull] = (built[pull] ?? 0) + 1;
      const at = new Date().toISOString();
      const build: Build = {
        id: request.run,
        request,
        state: 'error',
        createdAt: at,
        startedAt: at,
        finishedAt: at,
        position: undefined,
        reason: 'a measurement',
      };
      builds.set(request.run, build);
      return build;
    },
    get: async (run) => builds.get(run),
    list: async ({ limit } = {}) => [...builds.values()].reverse().slice(0, limit),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serveBurst();
