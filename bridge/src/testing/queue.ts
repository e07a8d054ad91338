/** Things that happened, to be expected one after another. */
export interface Queue<T> {
  push(item: T): void;
  /** The next one, waiting for it if need be; mocha's timeout ends the wait. */
  next(): Promise<T>;
  /** Those nobody asked for yet. */
  unread(): readonly T[];
}

export function createQueue<T>(): Queue<T> {
  const items: T[] = [];
  const waiting: ((item: T) => void)[] = [];
  return {
    push(item) {
      const waiter = waiting.shift();
      if (waiter) waiter(item);
      else items.push(item);
    },
    async next() {
      const item = items.shift();
      if (item !== undefined) return item;
      return new Promise((resolve) => waiting.push(resolve));
    },
    unread: () => items,
  };
}
