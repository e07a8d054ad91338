import { type IdleResult, measureIdle } from '@cc-ci/bridge/bench';
import { type Measure, measured } from './measure.js';

const REPOSITORIES = [1, 100, 1_000];
const POLL_SECONDS = 5;
const SECONDS = 60;
/** Requests a minute beyond one each look. */
const BESIDE_LOOKS = 2;

/** What the bridge asks of a forge on which nothing happens, for a minute, however many recipes are enrolled. */
export async function measureIdleRequests(): Promise<Measure[]> {
  const options = { pollSeconds: POLL_SECONDS, seconds: SECONDS };
  // Waiting is all that takes time: side by side.
  const results = await Promise.all(REPOSITORIES.map((count) => measureIdle(count, options)));
  return results.map((result) => idleMeasure(result, POLL_SECONDS));
}

/** What is promised of an idle bridge, and whether it was kept. A bridge that did not look at all is not idle. */
export function idleMeasure(result: IdleResult, pollSeconds: number): Measure {
  const question = {
    name: `requests to the forge a minute while nothing happens, ${result.repositories} repositories`,
    unit: 'requests/min',
    bound: 'at-most',
    limit: 60 / pollSeconds + BESIDE_LOOKS,
  } as const;
  const perMinute = (result.requests * 60) / result.seconds;
  return measured(question, result.looks > 0 ? perMinute : undefined, result);
}
