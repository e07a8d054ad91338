import { join } from 'node:path';
import {
  CcCiError,
  type Config,
  type Logger,
  readRun,
  readSecretFile,
  runFolder,
  type Store,
  tryLock,
} from '@cc-ci/core';
import type { Engine } from '@cc-ci/engine';
import { buildBridgeApp, type CheckResult } from './app.js';
import { type RunningBridge, runBridge } from './bridge.js';
import { DEFAULT_TIMING } from './context.js';
import { connectForge, type ForgeClient } from './forge/client.js';
import type { Late } from './liveness.js';
import { createMetrics } from './metrics.js';
import { rulesOf } from './rules.js';
import { listStatusRefusals, openBridgeStore, probeStore } from './store.js';

/** A bridge and its HTTP server. */
export interface StartedBridge {
  /** Where its HTTP server listens. */
  url: string;
  /** What should have happened by now and has not: empty while all loops go round. Ask every minute or so. */
  late: Late;
  /** Ends after what is under way; what is left goes on when the bridge is started again. The engine is left open. */
  stop(): Promise<void>;
}

/**
 * Starts the bridge on the state folder of `config`, with run records in the same folder. Returns after the first
 * look at the forge; a forge that is down then is looked for again and again.
 * @throws InputError when the file of the token, or of the webhook's secret, cannot be read
 * @throws CcCiError when another bridge works on the same state folder
 */
export async function startBridge(
  config: Config<'common' | 'bridge'>,
  engine: Engine,
  logger: Logger,
): Promise<StartedBridge> {
  const { stateDir, publicUrl } = config.common;
  const { forgeUrl, forgeTokenFile, org, pollInterval, pollBudget, listen, hookSecretFile } = config.bridge;
  const token = readSecretFile(forgeTokenFile, 'CC_CI_FORGE_TOKEN_FILE');
  const secret = hookSecretFile && readSecretFile(hookSecretFile, 'CC_CI_HOOK_SECRET_FILE');
  const lock = tryLock(join(stateDir, 'bridge.lock'));
  if (!lock) {
    throw new CcCiError(`another bridge is running on ${stateDir}`, {
      hint: 'stop it, or give this one a state folder of its own (CC_CI_STATE_DIR)',
    });
  }
  // Opened in this order, closed in the other.
  const closers: (() => Promise<unknown> | unknown)[] = [() => lock.release()];
  const stop = async () => {
    for (let close = closers.pop(); close; close = closers.pop()) await close();
  };
  try {
    const store = openBridgeStore(join(stateDir, 'bridge.sqlite'));
    closers.push(() => store.close());
    const clock: { forge?: ForgeClient } = {};
    const now = () => clock.forge?.now() ?? Date.now();
    const metrics = createMetrics({ engine, now });
    const { observer } = metrics;
    const forge = connectForge({ url: forgeUrl, token, observer });
    clock.forge = forge;
    closers.push(() => forge.close());
    const bridge = runBridge({
      store,
      forge,
      engine,
      org,
      publicUrl,
      readRecord: (run) => readRun(runFolder(stateDir, run)),
      rules: rulesOf(config.bridge),
      timing: { ...DEFAULT_TIMING, pollMs: pollInterval * 1_000, pollBudget },
      logger,
      observer,
    });
    closers.push(() => bridge.stop());
    const { late, intake, bot } = bridge;
    const app = buildBridgeApp({
      checks: checksOf(bridge, store, engine),
      late,
      hook: secret ? { secret, org, intake, bot, now, observer } : undefined,
      metrics,
      logger: logger.child({ part: 'http' }),
    });
    closers.push(() => app.close());
    const url = await app.listen({ host: listen.host, port: listen.port });
    await bridge.firstLook;
    logger.info({ url, forge: forgeUrl, org, hook: secret !== undefined }, 'bridge started');
    return { url, late, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function checksOf(bridge: RunningBridge, store: Store, engine: Engine) {
  return {
    forge: () => forgeCheck(bridge, store),
    database: (): CheckResult => {
      probeStore(store);
      return { ok: true, detail: 'can be written' };
    },
    engine: async (): Promise<CheckResult> => {
      await engine.ready();
      return { ok: true, detail: 'answers' };
    },
  };
}

function forgeCheck(bridge: RunningBridge, store: Store): CheckResult {
  const { lookedAt, failures, reason } = bridge.health();
  if (failures > 0) return { ok: false, detail: reason ?? 'the last look failed' };
  if (!lookedAt) return { ok: false, detail: 'not looked at yet' };
  const refused = listStatusRefusals(store).map(({ repo }) => repo);
  const rights =
    refused.length > 0 ? `; the bot may not set commit statuses in ${refused.join(', ')} (needs write)` : '';
  return { ok: true, detail: `looked at ${lookedAt}${rights}` };
}
