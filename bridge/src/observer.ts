import type { Decision } from './command.js';
import type { ForgeErrorKind } from './forge/errors.js';
import type { TriggerEvent } from './machine.js';
import type { SeenBy, SeenComment, Trigger } from './triggers.js';

/** What happens in the bridge, for whoever counts it. Its functions must not throw. */
export interface Observer {
  /** A look at the forge ended, after `ms` milliseconds. */
  looked(outcome: 'ok' | 'failed', ms: number): void;
  /** The forge answered a request, or failed to, after `ms` milliseconds. */
  asked(call: { method: string; path: string }, outcome: 'ok' | ForgeErrorKind, ms: number): void;
  /** A comment that was not seen before was decided about. */
  decided(decision: Decision, via: SeenBy, comment: SeenComment): void;
  /** A webhook delivery was answered with this HTTP status, after `ms` milliseconds. */
  delivered(status: number, ms: number): void;
  /** A trigger is somewhere else than before; `trigger` is as it is now. */
  moved(trigger: Trigger, event: TriggerEvent): void;
}

/** Counts nothing. */
export const NO_OBSERVER: Observer = {
  looked: () => undefined,
  asked: () => undefined,
  decided: () => undefined,
  delivered: () => undefined,
  moved: () => undefined,
};
