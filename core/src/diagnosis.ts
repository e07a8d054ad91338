/**
 * What one look at one part came to. `fail`: it cannot work like this; `warn`: it works, but not as well as it could, or
 * not for long; `unknown`: it could not be looked at.
 */
export interface Diagnosis {
  state: 'ok' | 'warn' | 'fail' | 'unknown';
  /** What was looked at, in a word or two. */
  part: string;
  said: string;
  /** What to do about it; only where there is something to do. */
  todo?: string;
}

/** Ways to say what a look came to; whatever is not well says what to do. */
export const diagnose = {
  ok: (part: string, said: string): Diagnosis => ({ state: 'ok', part, said }),
  warn: (part: string, said: string, todo: string): Diagnosis => ({ state: 'warn', part, said, todo }),
  fail: (part: string, said: string, todo: string): Diagnosis => ({ state: 'fail', part, said, todo }),
  /** `todo`: how it could be looked at, if there is a way. */
  unknown: (part: string, said: string, todo?: string): Diagnosis =>
    todo === undefined ? { state: 'unknown', part, said } : { state: 'unknown', part, said, todo },
};
