import { expect } from 'chai';
import { describe, it } from 'mocha';
import {
  type Blame,
  type Finding,
  pendingStage,
  STAGES,
  type StageName,
  type StageRecord,
} from './record.js';
import { EXIT_CODE, judge } from './verdict.js';

const PASSED = { source: 'generic', suite: 's', title: 't', state: 'passed', durationMs: 1 } as const;

function stages(change: Partial<Record<StageName, Partial<StageRecord>>> = {}): StageRecord[] {
  const green: Partial<Record<StageName, Partial<StageRecord>>> = {
    install: { tests: [PASSED] },
    upgrade: { state: 'base-broken' },
    backup: { state: 'structural-skip' },
    'recipe-tests': { state: 'declared-skip' },
  };
  return STAGES.map((stage) => ({
    ...pendingStage(stage),
    state: 'passed',
    ...green[stage],
    ...change[stage],
  }));
}
const finding = (severity: Finding['severity']): Finding => ({
  rule: 'image-tag',
  severity,
  message: 'no tag',
});
const failed = (blame: Blame, message = 'it broke'): Partial<StageRecord> => ({
  state: 'failed',
  failure: { blame, message, evidence: ['line'] },
});

describe('verdict', () => {
  it('is green when tests passed, and names apart what was declined, what had nothing to test, what could not be', () => {
    const outcome = judge(
      stages({
        upgrade: { state: 'base-broken', reason: 'the published version 1.0.0 does not come up by itself' },
        backup: { state: 'structural-skip', reason: 'no backup labels' },
        'recipe-tests': { state: 'declared-skip', reason: 'they need a mail server' },
      }),
    );
    expect(outcome).to.deep.equal({
      verdict: 'green',
      sentence:
        'install passed with 1 test; skipped: recipe-tests (declared: they need a mail server); nothing to test: backup (no backup labels); not tested: upgrade (the published version 1.0.0 does not come up by itself)',
      evidence: [],
    });
  });

  it('names stages without a reason too, and tests that were skipped', () => {
    const more = { state: 'passed' as const, tests: [PASSED, { ...PASSED, state: 'skipped' as const }] };
    expect(judge(stages({ upgrade: more, backup: { state: 'passed' } })).sentence).to.equal(
      'install, upgrade passed with 2 tests (1 more skipped); skipped: recipe-tests',
    );
  });

  it('shows lint beside a green verdict, but not what is no fault', () => {
    const findings = [finding('warning'), finding('note'), finding('warning')];
    expect(judge(stages({ prepare: { findings } })).sentence).to.match(/; lint has 2 warnings$/);
    expect(judge(stages({ prepare: { findings: [finding('note')] } })).sentence).not.to.contain('lint');
  });

  it('keeps to a budget, on one line, however long the reasons are', () => {
    const reason = `why\n${'so '.repeat(10_000)}`;
    const skipped = { upgrade: 'base-broken', backup: 'structural-skip', 'recipe-tests': 'declared-skip' };
    const change = Object.fromEntries(
      Object.entries(skipped).map(([name, state]) => [name, { state, reason }]),
    ) as Partial<Record<StageName, Partial<StageRecord>>>;
    for (const outcome of [judge(stages(change)), judge(stages({ install: failed('recipe', reason) }))]) {
      expect(outcome.sentence.length).to.be.within(100, 550);
      expect(outcome.sentence).not.to.contain('\n');
    }
  });

  const cases: [Blame, string, number, string][] = [
    ['recipe', 'red', 1, 'the recipe needs a fix'],
    ['tests', 'red', 1, 'the tests need a fix, the recipe may be fine'],
    ['ci', 'error', 2, 'no fault of the recipe: run it again, and tell whoever runs cc-ci if it stays'],
    ['forge', 'error', 2, 'no fault of the recipe: run it again when the forge gives it out'],
    ['timeout', 'error', 2, 'the times of the phases show where it went: run it again, or allow more time'],
    ['cancelled', 'cancelled', 2, 'run it again when you like'],
  ];
  for (const [blame, verdict, code, toDo] of cases) {
    it(`is ${verdict} when the blame is ${blame}, and says what to do`, () => {
      const outcome = judge(stages({ install: failed(blame) }));
      expect(outcome).to.deep.equal({
        verdict,
        blame,
        sentence: `install: it broke; ${toDo}`,
        evidence: ['line'],
      });
      expect(EXIT_CODE[outcome.verdict]).to.equal(code);
    });
  }

  it('adds nothing where the stage says itself that it can be asked for again', () => {
    const gone = failed('forge', 'the commit is gone; comment !testme to test the new head');
    expect(judge(stages({ prepare: gone })).sentence).to.equal(
      'prepare: the commit is gone; comment !testme to test the new head',
    );
  });

  it('is red for a lint error although everything else passed', () => {
    const lint = { ...failed('recipe', 'lint: no image tag'), findings: [finding('error')] };
    const outcome = judge(stages({ prepare: lint }));
    expect(outcome).to.include({ verdict: 'red', blame: 'recipe' });
    expect(outcome.sentence).to.equal('prepare: lint: no image tag; the recipe needs a fix');
  });

  it('names every stage that failed, and blames for the first', () => {
    const outcome = judge(
      stages({ prepare: failed('recipe'), backup: failed('tests'), teardown: failed('ci') }),
    );
    expect(outcome).to.include({
      verdict: 'red',
      blame: 'recipe',
      sentence: 'prepare: it broke; also failed: backup, teardown; the recipe needs a fix',
    });
  });

  it('names the first failure, but a cancel before all', () => {
    expect(judge(stages({ install: failed('recipe'), teardown: failed('ci') })).blame).to.equal('recipe');
    expect(judge(stages({ install: failed('recipe'), teardown: failed('cancelled') })).blame).to.equal(
      'cancelled',
    );
  });

  it('is cancelled when the run was stopped between two stages', () => {
    const stopped: Partial<StageRecord> = { ...failed('cancelled', 'the run was stopped'), state: 'not-run' };
    expect(judge(stages({ install: stopped }))).to.include({ verdict: 'cancelled', blame: 'cancelled' });
  });

  it('is not green when the node was not left clean', () => {
    expect(judge(stages({ teardown: failed('ci', 'a volume is still there') }))).to.include({
      verdict: 'error',
      blame: 'ci',
    });
  });

  it('is never green without an end, without tests, or with a stage that should have run', () => {
    expect(judge(stages({ install: { state: 'running' } })).sentence).to.include('ended during install');
    expect(judge(stages({ teardown: { state: 'pending' } }))).to.include({ verdict: 'error', blame: 'ci' });
    expect(judge(stages({ install: { tests: [] } })).sentence).to.include('no test was run');
    expect(judge(stages({ upgrade: { state: 'not-run', reason: 'nobody started it' } })).sentence).to.include(
      'nobody started it',
    );
    expect(judge(stages({ install: { state: 'failed' } })).sentence).to.include('fault of cc-ci');
    expect(judge([])).to.include({ verdict: 'error', blame: 'ci' });
  });

  it('is not green for a stage that says passed and holds a failed test or a lint error', () => {
    const test = { ...PASSED, title: 'keeps data', state: 'failed' as const };
    expect(judge(stages({ install: { tests: [PASSED, test] } }))).to.include({
      verdict: 'error',
      blame: 'ci',
      sentence:
        'install says passed although its test "keeps data" failed; this is a fault of cc-ci, please report it',
    });
    expect(judge(stages({ prepare: { findings: [finding('error')] } })).sentence).to.equal(
      'prepare says passed although lint found an error (image-tag); this is a fault of cc-ci, please report it',
    );
  });

  it('says what was left out when nothing was tested', () => {
    const none = stages({ install: { state: 'declared-skip', reason: 'left out', tests: [] } });
    expect(judge(none)).to.include({
      verdict: 'error',
      sentence:
        'no test was run at all, which proves nothing; skipped: install (declared: left out), recipe-tests; nothing to test: backup; not tested: upgrade',
    });
  });
});
