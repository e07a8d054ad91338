import type { Logger, Store } from '@cc-ci/core';
import type { Engine } from '@cc-ci/engine';
import type { Backoff } from './backoff.js';
import type { ForgeClient } from './forge/client.js';
import type { ForgeUser } from './forge/schemas.js';
import type { Observer } from './observer.js';
import type { ReadRecord } from './progress.js';
import type { Rules } from './rules.js';

/** How often and how patiently. */
export interface Timing {
  /** Milliseconds between two looks at the forge. */
  pollMs: number;
  /** Requests a minute that looking may take where the forge cannot be searched. */
  pollBudget: number;
  /** Milliseconds between two looks at a build. */
  followMs: number;
  /** How failures of the forge and the engine are retried. */
  retry: Backoff;
  /** Failures of a step in a row after which it is said in the pull request that the command waits. */
  tellAfter: number;
}

export const DEFAULT_TIMING: Timing = {
  pollMs: 5_000,
  pollBudget: 60,
  followMs: 1_000,
  retry: { firstMs: 1_000, capMs: 60_000 },
  // Half a minute or more, by the waits above.
  tellAfter: 6,
};

/** What every part of the bridge works with. */
export interface BridgeContext {
  store: Store;
  forge: ForgeClient;
  engine: Engine;
  /** The organisation whose repositories are looked at and whose members may ask. */
  org: string;
  /** Where people reach the dashboard, without a slash at its end. */
  publicUrl: string;
  readRecord: ReadRecord;
  rules: Rules;
  timing: Timing;
  logger: Logger;
  observer: Observer;
  /** The user the bridge is on the forge; asked once, then remembered. @throws ForgeError */
  bot: () => Promise<ForgeUser>;
}
