import { createLogger, loadConfig } from '@cc-ci/core';
import type { Build, Engine } from '@cc-ci/engine';
import { startBridge } from '../start.js';
import type { BurstReport } from './hook-burst.js';

// The bridge of the burst, in a process of its own so that its memory is its own: the real one, over an engine whose
// builds end at once. It says where it listens, answers every message with a report, and ends with its parent.

/** Builds of each pull request. */
const built: Record<string, number> = {};
const builds = new Map<string, Build>();

const engine: Pick<Engine, 'start' | 'get' | 'list'> = {
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

const logger = createLogger('bridge', 'error');
const bridge = await startBridge(loadConfig(['common', 'bridge']), engine as Engine, logger);
process.on('message', () => {
  const report: BurstReport = {
    built,
    rssMb: process.memoryUsage().rss / 1024 / 1024,
    peakMb: process.resourceUsage().maxRSS / 1024,
  };
  process.send?.(report);
});
process.once('disconnect', () => void bridge.stop());
process.send?.({ url: bridge.url });
