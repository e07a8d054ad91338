import { existsSync } from 'node:fs';
import { runFolder, summaryFile } from '@cc-ci/core';
import { buildDashboardApp } from '../serve.js';

/** A site that is there, and where the logs are that can be followed. */
export interface ServeJob {
  siteDir: string;
  stateDir: string;
}

/** Serves it as `cc-ci dashboard serve` does, on a port of its own. */
export async function serveSite({
  siteDir,
  stateDir,
}: ServeJob): Promise<{ url: string; close(): Promise<void> }> {
  const dirOf = (id: string) => runFolder(stateDir, id);
  const app = await buildDashboardApp({
    siteDir,
    live: {
      dirOf: (id) => (existsSync(dirOf(id)) ? dirOf(id) : undefined),
      isOver: async (id) => existsSync(summaryFile(dirOf(id))),
    },
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => app.close() };
}
