import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type Blame, pendingStage, STAGES, type StageName, type StageRecord } from './record.js';
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
const failed = (blame: Blame, message = 'it broke'): Partial<StageRecord> => ({
  state: 'failed',
  failure: { blame, message, evidence: ['line'] },
});

describe('verdict', () => {
  it('is green when tests passed, and says what was not tested', () => {
    expect(judge(stages())).to.deep.equal({
      verdict: 'green',
      sentence: 'install passed with 1 test; not tested: upgrade, backup, recipe-tests',
      evidence: [],
    });
  });

  const cases: [Blame, string, number][] = [
    ['recipe', 'red', 1],
    ['tests', 'red', 1],
    ['ci', 'error', 2],
    ['forge', 'error', 2],
    ['timeout', 'error', 2],
    ['cancelled', 'cancelled', 2],
  ];
  for (const [blame, verdict, code] of cases) {
    it(`is ${verdict} when the blame is ${blame}`, () => {
      const outcome = judge(stages({ install: failed(blame) }));
      expect(outcome).to.include({ verdict, blame, sentence: 'install: it broke' });
      expect(outcome.evidence).to.deep.equal(['line']);
      expect(EXIT_CODE[outcome.verdict]).to.equal(code);
    });
  }

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
});
