/** What requests answer instead of the truth. */
export interface Fault {
  /** Requests whose path (without the query) matches. Default: all. */
  path?: RegExp;
  /** Requests of this method, in capitals. Default: all. */
  method?: string;
  /** How many requests it meets before it is used up. Default: 1. */
  times?: number;
  /** An HTTP status to answer with, or `close`: the connection ends without an answer. */
  answer: number | 'close';
  /** Seconds, for the Retry-After header. */
  retryAfter?: number;
  /**
   * `before` (the default): nothing was done. `after`: the request was carried out and only its answer is lost, which
   * is what a client must survive without doing things twice.
   */
  when?: 'before' | 'after';
}

/** The faults that wait for their requests. */
export interface Faults {
  inject(fault: Fault): void;
  /** Forgets the faults that have not met their requests. */
  clear(): void;
  /** How many requests will still be met by faults. */
  pending(): number;
  /** The fault a request meets now, counted as used. */
  take(when: 'before' | 'after', method: string, path: string): Fault | undefined;
}

/** No faults yet. */
export function createFaults(): Faults {
  let waiting: (Fault & { left: number })[] = [];
  return {
    inject(fault) {
      waiting.push({ ...fault, left: fault.times ?? 1 });
    },
    clear() {
      waiting = [];
    },
    pending: () => waiting.reduce((sum, fault) => sum + fault.left, 0),
    take(when, method, path) {
      const fault = waiting.find(
        (it) =>
          (it.when ?? 'before') === when && (it.method ?? method) === method && (it.path?.test(path) ?? true),
      );
      if (!fault) return undefined;
      fault.left -= 1;
      waiting = waiting.filter((it) => it.left > 0);
      return fault;
    },
  };
}
