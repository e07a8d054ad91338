/** One thing measured against its limit. */
export interface Measure {
  name: string;
  unit: string;
  /** `at-most` or `at-least` the limit is well. */
  bound: 'at-most' | 'at-least';
  limit: number;
  /** Absent when it could not be measured, which is not well either. */
  value?: number;
  ok: boolean;
  /** How it came about, or why there is none. */
  detail: unknown;
}

/** What is to be measured: all of a measure that is known beforehand. */
export type Question = Pick<Measure, 'name' | 'unit' | 'bound' | 'limit'>;

/** The measure for a value; without one it is not ok. */
export function measured(question: Question, value: number | undefined, detail: unknown): Measure {
  if (value === undefined || !Number.isFinite(value)) return { ...question, ok: false, detail };
  const ok = question.bound === 'at-most' ? value <= question.limit : value >= question.limit;
  // Judged as it is; rounded only to be read.
  return { ...question, value: Math.round(value * 1000) / 1000, ok, detail };
}

/** The middle of these numbers, which one slow round does not move. @throws RangeError without numbers */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new RangeError('no numbers, no median');
  return (low + high) / 2;
}
