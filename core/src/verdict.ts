import type { Blame, Outcome, StageRecord, StageState, Verdict } from './record.js';
import { brief, count } from './text.js';

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

/** What to do, by whose fault it is; said unless the stage's own sentence says to comment !testme. */
const TO_DO: Record<Blame, string> = {
  recipe: 'the recipe needs a fix',
  tests: 'the tests need a fix, the recipe may be fine',
  ci: 'no fault of the recipe: run it again, and tell whoever runs cc-ci if it stays',
  forge: 'no fault of the recipe: run it again when the forge gives it out',
  timeout: 'the times of the phases show where it went: run it again, or allow more time',
  cancelled: 'run it again when you like',
};

/** Characters of a sentence's parts: what happened, and why one stage was not tested. */
const LIMIT = { message: 400, reason: 120 };

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
    const { stage, blame, message, evidence } = cause;
    const others = stages.filter((it) => it.state === 'failed' && it.stage !== stage);
    const also = others.length > 0 ? `; also failed: ${others.map((it) => it.stage).join(', ')}` : '';
    const toDo = message.includes('!testme') ? '' : `; ${TO_DO[blame]}`;
    return {
      verdict: VERDICT_OF_BLAME[blame],
      blame,
      sentence: `${stage}: ${brief(message, LIMIT.message)}${also}${toDo}`,
      evidence,
    };
  }
  return withoutFailure(stages);
}

/** No stage gives a reason for not being green; yet green has to be earned. */
function withoutFailure(stages: readonly StageRecord[]): Outcome {
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
  if (missed) {
    const reason = brief(missed.reason ?? 'no reason was recorded', LIMIT.message);
    return ours(`${missed.stage} should have run and did not: ${reason}; ${TO_DO.ci}`);
  }
  const denied = stages.find((stage) => contradiction(stage) !== undefined);
  if (denied) {
    const what = `${denied.stage} says ${denied.state} although ${contradiction(denied)}`;
    return ours(`${what}; this is a fault of cc-ci, please report it`);
  }
  const tests = stages.flatMap((stage) => stage.tests);
  if (!tests.some((test) => test.state === 'passed')) {
    return ours(['no test was run at all, which proves nothing', ...leftOut(stages)].join('; '));
  }
  return { verdict: 'green', sentence: greenSentence(stages), evidence: [] };
}

/** What is in a stage's record that cannot be true of one that did not fail. */
function contradiction({ state, tests, findings }: StageRecord): string | undefined {
  if (state !== 'passed') return undefined;
  const failed = tests.find((test) => test.state === 'failed');
  if (failed) return `its test ${brief(JSON.stringify(failed.title), LIMIT.reason)} failed`;
  const error = findings.find((finding) => finding.severity === 'error');
  return error && `lint found an error (${error.rule})`;
}

function greenSentence(stages: readonly StageRecord[]): string {
  const tested = stages.filter((stage) => stage.state === 'passed' && stage.tests.length > 0);
  const tests = stages.flatMap((stage) => stage.tests);
  const passed = tests.filter((test) => test.state === 'passed').length;
  const left = tests.filter((test) => test.state === 'skipped').length;
  const warnings = stages
    .flatMap((stage) => stage.findings)
    .filter((finding) => finding.severity === 'warning').length;
  return [
    `${tested.map((stage) => stage.stage).join(', ')} passed with ${count(passed, 'test')}${left > 0 ? ` (${left} more skipped)` : ''}`,
    ...leftOut(stages),
    ...(warnings > 0 ? [`lint has ${count(warnings, 'warning')}`] : []),
  ].join('; ');
}

/** Apart from each other: what was declined, what had nothing to test, and what could not be tested. */
function leftOut(stages: readonly StageRecord[]): string[] {
  return [
    ...list(stages, 'declared-skip', 'skipped', 'declared: '),
    ...list(stages, 'structural-skip', 'nothing to test'),
    ...list(stages, 'base-broken', 'not tested'),
  ];
}

function list(stages: readonly StageRecord[], state: StageState, title: string, before = ''): string[] {
  const those = stages
    .filter((stage) => stage.state === state)
    .map(
      ({ stage, reason }) =>
        `${stage}${reason ? ` (${before}${brief(reason, LIMIT.reason - before.length)})` : ''}`,
    );
  return those.length > 0 ? [`${title}: ${those.join(', ')}`] : [];
}

function ours(sentence: string): Outcome {
  return { verdict: 'error', blame: 'ci', sentence, evidence: [] };
}
