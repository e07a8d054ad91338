import type { Blame, Outcome, StageRecord, StageState, Verdict } from './record.js';

const VERDICT_OF_BLAME: Record<Blame, Verdict> = {
  recipe: 'red',
  tests: 'red',
  ci: 'error',
  forge: 'error',
  timeout: 'error',
  cancelled: 'cancelled',
};

/** Process exit codes: 0 green, 1 the recipe or its tests, 2 everything else. */
export const EXIT_CODE: Record<Verdict, number> = { green: 0, red: 1, error: 2, cancelled: 2 };

/** States in which a stage has ended. */
export function isSettled(state: StageState): boolean {
  return state !== 'pending' && state !== 'running';
}

/**
 * What a run came to, from its stages alone: pure, so that it can be computed again from the files at any time.
 * Exactly one blame for whatever is not green: a cancel first, then the first stage that failed, then the first
 * that should have run and did not, then one that never ended.
 */
export function judge(stages: readonly StageRecord[]): Outcome {
  const failures = stages.flatMap((stage) =>
    stage.failure ? [{ stage: stage.stage, ...stage.failure }] : [],
  );
  const cause = failures.find((failure) => failure.blame === 'cancelled') ?? failures[0];
  if (cause) {
    return {
      verdict: VERDICT_OF_BLAME[cause.blame],
      blame: cause.blame,
      sentence: `${cause.stage}: ${cause.message}`,
      evidence: cause.evidence,
    };
  }
  const unsound = stages.find((stage) => stage.state === 'failed');
  if (unsound)
    return ours(`${unsound.stage} failed without saying why; this is a fault of cc-ci, please report it`);
  const unfinished = stages.find((stage) => !isSettled(stage.state));
  if (unfinished) {
    return ours(
      `the run ended during ${unfinished.stage} without a result (it was killed, or its host went down); comment !testme to run it again`,
    );
  }
  const missed = stages.find((stage) => stage.state === 'not-run');
  if (missed)
    return ours(`${missed.stage} should have run and did not: ${missed.reason ?? 'no reason was recorded'}`);
  const tests = stages.flatMap((stage) => stage.tests).filter((test) => test.state === 'passed');
  if (tests.length === 0) return ours('no test was run at all, which proves nothing');
  return { verdict: 'green', sentence: greenSentence(stages, tests.length), evidence: [] };
}

function greenSentence(stages: readonly StageRecord[], tests: number): string {
  const missing = stages.filter((stage) => stage.state !== 'passed').map((stage) => stage.stage);
  const done = stages
    .filter((stage) => stage.state === 'passed' && stage.tests.length > 0)
    .map((stage) => stage.stage);
  const rest = missing.length > 0 ? `; not tested: ${missing.join(', ')}` : '';
  return `${done.join(', ')} passed with ${tests} ${tests === 1 ? 'test' : 'tests'}${rest}`;
}

function ours(sentence: string): Outcome {
  return { verdict: 'error', blame: 'ci', sentence, evidence: [] };
}
