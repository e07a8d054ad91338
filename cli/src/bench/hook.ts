import { fileURLToPath } from 'node:url';
import { type BurstResult, FULL_BURST, measureHookBurst } from '@cc-ci/bridge/bench';
import { type Measure, measured } from './measure.js';

const WHOLE = {
  name: 'webhook burst: comments lost or built twice',
  unit: 'comments',
  bound: 'at-most',
  limit: 0,
} as const;
const MEMORY = {
  name: 'webhook burst: memory of the bridge after it',
  unit: 'MB',
  bound: 'at-most',
  limit: 120,
} as const;
const ANSWERS = {
  name: 'webhook burst: time to an answer, 99th percentile',
  unit: 'ms',
  bound: 'at-most',
  limit: 50,
} as const;

const PROGRAM = fileURLToPath(new URL('./burst-program.js', import.meta.url));

/** 5,000 webhook deliveries in a burst, a fifth of them doubled, a tenth with a wrong signature. */
export async function measureHook(): Promise<Measure[]> {
  return hookMeasures(await measureHookBurst({ ...FULL_BURST, program: PROGRAM }));
}

/** What is promised of a burst, and whether it was kept. */
export function hookMeasures(result: BurstResult): Measure[] {
  // Each request is answered as it must be, or what is counted below says nothing.
  const odd = Object.keys(result.statuses).filter((status) => status !== '202' && status !== '401');
  const wrong = odd.length > 0 ? undefined : result.lost + result.doubled;
  return [
    measured(WHOLE, wrong, result),
    measured(ANSWERS, result.answerMs.p99, result.answerMs),
    measured(MEMORY, result.rssMb.after, result.rssMb),
  ];
}
