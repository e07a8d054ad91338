/** What one look at one part came to. `fail`: it cannot work like this; `warn`: it works, but not as well as it could. */
export interface Diagnosis {
  state: 'ok' | 'warn' | 'fail';
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
};
