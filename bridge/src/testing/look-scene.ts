import { createLogger, type Store } from '@cc-ci/core';
import { type BridgeContext, DEFAULT_TIMING } from '../context.js';
import { connectForge } from '../forge/client.js';
import { createIntake } from '../intake.js';
import { orgLook } from '../look/look.js';
import { NO_OBSERVER } from '../observer.js';
import { openBridgeStore } from '../store.js';
import { listTriggers } from '../triggers.js';
import { createFakeEngine } from './fake-engine.js';
import { BOT, type Endpoint, FAKE_TOKEN, type FakeForge, ORG, startFakeForge } from './fake-forge.js';
import { PLAIN_RULES } from './rules.js';

/** A forge, and looks at it one by one. */
export interface LookScene {
  forge: FakeForge;
  store: Store;
  logged: string[];
  /** Looks once. */
  look(): Promise<number>;
  /** Looks, and says why it failed. */
  failedLook(): Promise<string>;
  /** Another bridge takes over from this one's database. */
  restart(): void;
  /** Seconds go by, here and on the forge. */
  pass(seconds: number): void;
  /** Seconds go by here alone. */
  passHere(seconds: number): void;
  /** `author repo pr` of each command that was taken. */
  askers(): string[];
  /** Requests of these kinds since this was last called. */
  requests(...kinds: Endpoint[]): number;
  end(): Promise<void>;
}

export async function setLookScene(timing: Partial<BridgeContext['timing']> = {}): Promise<LookScene> {
  const forge = await startFakeForge();
  const client = connectForge({ url: forge.url, token: FAKE_TOKEN, timeoutMs: 2_000 });
  const store = openBridgeStore(':memory:');
  const logged: string[] = [];
  let here = 5_000.25;
  let counted = 0;

  function start(): () => Promise<number> {
    const context: BridgeContext = {
      store,
      forge: client,
      engine: createFakeEngine(),
      org: ORG,
      rules: PLAIN_RULES,
      publicUrl: 'https://ci.test',
      readRecord: async () => undefined,
      timing: { ...DEFAULT_TIMING, ...timing },
      logger: createLogger('test', 'info', { write: (line) => void logged.push(line) }),
      observer: NO_OBSERVER,
      bot: async () => ({ id: 1, login: BOT }),
    };
    const intake = createIntake(context, () => undefined);
    return orgLook(context, intake, () => here);
  }

  let look = start();
  return {
    forge,
    store,
    logged,
    look: () => look(),
    failedLook: () =>
      look().then(
        () => 'it went well',
        (error: Error) => error.message,
      ),
    restart() {
      look = start();
    },
    pass(seconds) {
      here += seconds * 1_000;
      forge.pass(seconds);
    },
    passHere(seconds) {
      here += seconds * 1_000;
    },
    askers: () => listTriggers(store).map(({ author, repo, pr }) => `${author} ${repo} ${pr}`),
    requests(...kinds) {
      const since = forge.requests.slice(counted);
      counted = forge.requests.length;
      return since.filter((name) => kinds.length === 0 || kinds.includes(name)).length;
    },
    async end() {
      store.close();
      await client.close();
      await forge.close();
    },
  };
}
