import type { Level, Outcome, RunRecord, StageName, StageRecord, StageState, TestResult } from './record.js';
import { brief, count } from './text.js';
import { judge } from './verdict.js';

/** Version of the scale: raised whenever a level comes to mean something else, so that old numbers are not misread. */
export const SCALE_VERSION = 1;

/** Title of the generic check that level 7 rests on. */
export const SECRETS_CHECK = 'no secret value in service specs or logs';

/** Green runs in a row before this one that make a recipe steady. */
export const STEADY_RUNS = 4;
/** Characters of one foreign reason in a sentence. */
const REASON_LIMIT = 160;

/** What a level is judged by. */
interface Facts {
  stages: readonly StageRecord[];
  /** Of the recipe's earlier runs, the newest first. */
  earlier: readonly Outcome[];
}

/** Whether a level is reached: shown, passed by a skip, or why not. */
type Assessed = { is: 'shown' } | { is: 'skipped' } | { is: 'missing'; why: string };

interface LevelRule {
  title: string;
  /** When it is reached, for people. */
  when: string;
  /** Which skips let the climb go on, for people. */
  skips: string;
  assess(facts: Facts): Assessed;
}

/** The levels 1 to 8 in their order; nobody has reached one without all before it. Level 0 is: not even installed. */
export const LEVELS: readonly LevelRule[] = [
  {
    title: 'installs',
    when: 'a fresh deployment of the commit comes up: every service runs, is healthy, and stays so',
    skips: 'none',
    assess: installs,
  },
  {
    title: 'serves',
    when: `every generic check of the fresh app passes (without \`${SECRETS_CHECK}\`, which belongs to level 7), and there is at least one`,
    skips: 'none',
    assess: serves,
  },
  {
    title: 'upgrades',
    when: 'the upgrade stage passes',
    skips: 'declared; structural: no published version',
    assess: ({ stages }) => stagePasses(stages, 'upgrade'),
  },
  {
    title: 'backs up and restores',
    when: 'the backup stage passes',
    skips: 'declared; structural: no backup labels',
    assess: ({ stages }) => stagePasses(stages, 'backup'),
  },
  {
    title: 'functional tests of ours',
    when: 'there is at least one test of ours for this recipe, and every one of all stages passes',
    skips: 'none',
    assess: testedByUs,
  },
  {
    title: 'ships its own tests',
    when: "the recipe's repository brings at least one test, and every one passes",
    skips: 'declared only: a recipe without tests has not shipped any',
    assess: shipsTests,
  },
  {
    title: 'lint and secrets clean',
    when: `static lint has no error and no warning, and \`${SECRETS_CHECK}\` passes wherever it is run, at least once`,
    skips: 'none',
    assess: isClean,
  },
  {
    title: 'steady',
    when: `this run is green, and so were the last ${STEADY_RUNS} of the recipe's earlier runs (errors and cancelled runs do not count)`,
    skips: 'none',
    assess: isSteady,
  },
];

/**
 * How far a recipe has come: pure, from the stages of one run and the outcomes of the recipe's earlier runs (the newest
 * first; those that say nothing of the recipe are passed over).
 */
export function levelOf(stages: readonly StageRecord[], earlier: readonly Outcome[]): Level {
  const skipped: string[] = [];
  for (const [value, { title, assess }] of LEVELS.entries()) {
    const assessed = assess({ stages, earlier });
    if (assessed.is === 'missing') {
      const bySkip = skipped.length > 0 ? ` (passed by a skip: ${skipped.join(', ')})` : '';
      return levelAt(value, skipped, `${title}: ${assessed.why}${bySkip}`);
    }
    if (assessed.is === 'skipped') skipped.push(title);
  }
  return levelAt(LEVELS.length, skipped);
}

/** The level of a run; undefined where the run says nothing of the recipe: cancelled, not ended, or an error of ours. */
export function levelOfRun(
  { stages }: Pick<RunRecord, 'stages'>,
  earlier: readonly Outcome[],
): Level | undefined {
  return isConclusive(judge(stages)) ? levelOf(stages, earlier) : undefined;
}

/** Whether a run's outcome says something of the recipe. */
export function isConclusive({ verdict }: Outcome): boolean {
  return verdict === 'green' || verdict === 'red';
}

/** The rows of docs/levels.md; a test holds the page to them. */
export function levelTable(): string {
  const rows = LEVELS.map(
    ({ title, when, skips }, index) => `| ${index + 1} | ${title} | ${when} | ${skips} |`,
  );
  return [
    '| level | title | reached when | skips that let the climb go on |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function levelAt(value: number, skipped: readonly string[], missing?: string): Level {
  return {
    value,
    scale: SCALE_VERSION,
    ...(missing === undefined ? {} : { missing }),
    ...(skipped.length > 0 ? { skipped: [...skipped] } : {}),
  };
}

const SHOWN: Assessed = { is: 'shown' };
const SKIPPED: Assessed = { is: 'skipped' };

function missing(why: string): Assessed {
  return { is: 'missing', why };
}

/** The generic checks begin once the app has converged, so a single one shows that it had. */
function installs({ stages }: Facts): Assessed {
  const install = find(stages, 'install');
  if (install?.state === 'passed' || install?.tests.some(isGeneric)) return SHOWN;
  return missing(whyNot(install, 'install'));
}

function serves({ stages }: Facts): Assessed {
  const install = find(stages, 'install');
  const tests = install?.tests ?? [];
  const checks = tests.filter((test) => isGeneric(test) && test.title !== SECRETS_CHECK);
  if (checks.length === 0) return missing('no generic check was run');
  const bad = unpassed(checks);
  if (bad) return missing(bad);
  // A failure that no test accounts for (the app did not come back from a restart, say) would be lost further up.
  const isAccounted = install?.failure?.blame === 'tests' || tests.some((test) => test.state === 'failed');
  return install?.state === 'failed' && !isAccounted ? missing(whyNot(install, 'install')) : SHOWN;
}

const LETS_ON: ReadonlySet<StageState> = new Set(['declared-skip', 'structural-skip']);

function stagePasses(stages: readonly StageRecord[], name: StageName): Assessed {
  const stage = find(stages, name);
  if (stage?.state === 'passed') return SHOWN;
  return stage && LETS_ON.has(stage.state) ? SKIPPED : missing(whyNot(stage, name));
}

function testedByUs({ stages }: Facts): Assessed {
  const tests = testsOf(stages, 'cc-ci');
  // Tests that could not be loaded leave no result that failed.
  const unloaded = stages.find((stage) => stage.stage !== 'recipe-tests' && stage.failure?.blame === 'tests');
  if (unloaded) return missing(whyNot(unloaded, unloaded.stage));
  if (tests.length === 0) return missing('there are none for this recipe');
  const bad = unpassed(tests);
  return bad ? missing(bad) : SHOWN;
}

function shipsTests({ stages }: Facts): Assessed {
  const stage = find(stages, 'recipe-tests');
  if (stage?.state === 'declared-skip') return SKIPPED;
  const tests = testsOf(stages, 'recipe');
  const bad = unpassed(tests);
  if (bad) return missing(bad);
  if (stage?.state !== 'passed') return missing(whyNot(stage, 'recipe-tests'));
  return tests.length > 0 ? SHOWN : missing('the recipe brings none');
}

function isClean({ stages }: Facts): Assessed {
  const prepare = find(stages, 'prepare');
  const faults = (prepare?.findings ?? []).filter(({ severity }) => severity !== 'note');
  const rules = [...new Set(faults.map(({ rule }) => rule))];
  if (faults.length > 0)
    return missing(brief(`lint has ${count(faults.length, 'finding')} (${rules.join(', ')})`, REASON_LIMIT));
  if (prepare?.state !== 'passed') return missing(whyNot(prepare, 'prepare'));
  const checks = testsOf(stages, 'generic').filter(({ title }) => title === SECRETS_CHECK);
  if (checks.length === 0) return missing(`"${SECRETS_CHECK}" was not checked`);
  const bad = unpassed(checks);
  return bad ? missing(bad) : SHOWN;
}

function isSteady({ stages, earlier }: Facts): Assessed {
  const { verdict } = judge(stages);
  if (verdict !== 'green') return missing(`this run is not green but ${verdict}`);
  const last = earlier.filter(isConclusive).slice(0, STEADY_RUNS);
  const red = last.findIndex((outcome) => outcome.verdict !== 'green');
  const streak = red < 0 ? last.length : red;
  if (streak === STEADY_RUNS) return SHOWN;
  return missing(
    `${count(STEADY_RUNS - streak, 'more green run')} in a row needed (before this one: ${streak} of ${STEADY_RUNS})`,
  );
}

function find(stages: readonly StageRecord[], name: StageName): StageRecord | undefined {
  return stages.find((stage) => stage.stage === name);
}

function isGeneric({ source }: TestResult): boolean {
  return source === 'generic';
}

function testsOf(stages: readonly StageRecord[], source: TestResult['source']): TestResult[] {
  return stages.flatMap((stage) => stage.tests).filter((test) => test.source === source);
}

/** What the first test that did not pass says; undefined when all passed. */
function unpassed(tests: readonly TestResult[]): string | undefined {
  const bad = tests.filter((test) => test.state !== 'passed');
  const [first] = bad.filter((test) => test.state === 'failed').concat(bad);
  if (!first) return undefined;
  const others = bad.length > 1 ? `, and ${count(bad.length - 1, 'other')}` : '';
  const what = first.state === 'failed' ? 'failed' : 'was skipped';
  return `the test "${brief(first.title, REASON_LIMIT)}" ${what}${others}`;
}

const STATE_WORDS: Record<StageState, string> = {
  pending: 'has not begun',
  running: 'has not ended',
  passed: 'passed',
  failed: 'failed',
  'declared-skip': 'was skipped',
  'structural-skip': 'had nothing to test',
  'base-broken': 'could not be tested',
  'not-run': 'should have run and did not',
};

/** What became of a stage that was to pass, and why. */
function whyNot(stage: StageRecord | undefined, name: StageName): string {
  if (!stage) return `${name} was not part of the run`;
  const why = stage.failure?.message ?? stage.reason;
  return `${name} ${STATE_WORDS[stage.state]}${why ? `: ${brief(why, REASON_LIMIT)}` : ''}`;
}
