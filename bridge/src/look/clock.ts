/** Milliseconds that only go forward, wherever they began. */
export type Now = () => number;

/**
 * What is known of the forge's clock without trusting any other: it stood no earlier than the latest time it wrote
 * itself, and has gone on since. A clock that is ahead of the forge's would make comments pass unseen; one that is
 * behind only makes the bridge read again what it knows.
 */
export interface ForgeClock {
  /** A time (whole milliseconds) that the forge's clock has certainly reached, if it was not set back. */
  now(): number;
  /** The forge has written this time. */
  wrote(at: number): void;
  /** The forge, or a proxy before it, dates its answers so: it is not later than that. Takes back what was known. */
  dated(at: number | undefined): void;
}

/** A forge's clock of which is known that it reached `at`. */
export function createForgeClock(at: number, now: Now): ForgeClock {
  let known = { at, since: now() };
  const clock: ForgeClock = {
    now: () => Math.floor(known.at + now() - known.since),
    wrote(time) {
      if (time > clock.now()) known = { at: time, since: now() };
    },
    dated(time) {
      if (time !== undefined && time < clock.now()) known = { at: time, since: now() };
    },
  };
  return clock;
}
