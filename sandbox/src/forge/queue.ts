/** Runs what concerns one key one after the other, in the order it was asked for. */
export type KeyedQueue = <T>(key: number, work: () => Promise<T>) => Promise<T>;

/** A queue in which nothing waits yet. */
export function createKeyedQueue(): KeyedQueue {
  const tails = new Map<number, Promise<unknown>>();
  return (key, work) => {
    const before = tails.get(key) ?? Promise.resolve();
    const result = before.then(work);
    const tail = result.catch(() => undefined);
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
    });
    return result;
  };
}
