import { type Config, type Logger, loadConfig, type TestRequest } from '@cc-ci/core';
import type { BuildCommand, Engine, EngineReader } from '@cc-ci/engine';

/** The runner ends itself at its deadline and tears down; the engine's own limit is only for one that does not. */
const ENGINE_SLACK_SECONDS = 300;

/**
 * Opens the engine that CC_CI_ENGINE names.
 * @param local what the embedded engine runs for a request (Drone's pipeline has its own), and whether builds end when
 *   this process does
 * @throws ConfigError when settings of that engine are missing
 */
export async function openEngine(
  { common, engine }: Config<'common' | 'engine'>,
  logger: Logger,
  local: { command: (request: TestRequest) => BuildCommand; withParent: boolean },
): Promise<Engine> {
  const shared = {
    stateDir: common.stateDir,
    buildTimeoutMs: (engine.buildTimeout + ENGINE_SLACK_SECONDS) * 1000,
    logger: logger.child({ part: 'engine' }),
  };
  if (engine.kind === 'local') {
    const { openLocalEngine } = await import('@cc-ci/engine');
    return openLocalEngine({ ...shared, maxTests: engine.maxTests, ...local });
  }
  const { openDroneEngine } = await import('@cc-ci/engine/drone');
  return openDroneEngine({ ...shared, ...loadConfig(['drone']).drone });
}

/** The read side of the engine that CC_CI_ENGINE names and another process runs on this state folder. */
export async function openReader(stateDir: string): Promise<EngineReader & { close(): void }> {
  if (loadConfig(['engine']).engine.kind === 'drone') {
    const { openDroneReader } = await import('@cc-ci/engine/drone');
    return openDroneReader(stateDir);
  }
  const { openEngineReader } = await import('@cc-ci/engine');
  return openEngineReader(stateDir);
}
