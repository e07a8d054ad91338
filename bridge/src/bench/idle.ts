import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createLogger, loadConfig } from '@cc-ci/core';
import { startBridge } from '../start.js';
import { createFakeEngine } from '../testing/fake-engine.js';
import { FAKE_TOKEN, ORG, startFakeForge } from '../testing/fake-forge.js';

/** What a bridge asks of its forge while nothing happens. */
export interface IdleResult {
  repositories: number;
  /** Looks and requests in the time it was watched. */
  looks: number;
  requests: number;
  seconds: number;
}

/**
 * Counts what a bridge asks of a forge on which nothing happens, with an open pull request in each of so many
 * repositories, from when it has settled.
 * @param pollSeconds between two looks
 * @param seconds for which it is watched
 */
export async function measureIdle(
  repositories: number,
  { pollSeconds = 5, seconds = 60 } = {},
): Promise<IdleResult> {
  const folder = await mkdtemp(join(tmpdir(), 'cc-ci-idle-'));
  const forge = await startFakeForge();
  try {
    for (let i = 0; i < repositories; i++) {
      forge.comment(forge.openPull(`${ORG}/recipe-${i}`, 'a'.repeat(40)), 'alice', 'looks good');
      forge.pass(60);
    }
    // It dates its answers, as every forge does, and the last change is a while ago.
    forge.knobs.proxyAhead = 0;
    forge.pass(3_600);
    await writeFile(join(folder, 'token'), FAKE_TOKEN);
    const config = loadConfig(['common', 'bridge'], {
      CC_CI_STATE_DIR: join(folder, 'state'),
      CC_CI_FORGE_URL: forge.url,
      CC_CI_FORGE_TOKEN_FILE: join(folder, 'token'),
      CC_CI_ORG: ORG,
      CC_CI_POLL_INTERVAL: String(pollSeconds),
      CC_CI_BRIDGE_LISTEN: '127.0.0.1:0',
    });
    const bridge = await startBridge(config, createFakeEngine(), createLogger('bridge', 'error'));
    // What had just changed when it began is read once more.
    const isSettled = () => forge.requests.slice(-2).every((name) => name === 'search');
    const deadline = performance.now() + 20 * pollSeconds * 1_000;
    while (!isSettled() && performance.now() < deadline) await delay(50);
    const before = forge.requests.length;
    await delay(seconds * 1_000);
    const asked = forge.requests.slice(before);
    await bridge.stop();
    const looks = asked.filter((name) => name === 'search').length;
    return { repositories, looks, requests: asked.length, seconds };
  } finally {
    await forge.close();
    await rm(folder, { recursive: true });
  }
}
