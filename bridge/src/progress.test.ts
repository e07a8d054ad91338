import { InputError, newRunId, type Outcome, type RunRecord, type TestRequest } from '@cc-ci/core';
import type { Build, BuildState } from '@cc-ci/engine';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { readProgress } from './progress.js';
import { recordOf, stage } from './testing/fake-engine.js';

const REQUEST: TestRequest = {
  run: newRunId(),
  recipe: 'custom-html',
  ref: 'a'.repeat(40),
  src: 'http://forge.test/org/custom-html.git',
};
const GREEN: Outcome = { verdict: 'green', sentence: 'all passed', evidence: [] };
const PASSED = [
  stage('install', 'passed', {
    tests: [{ source: 'generic', suite: '', title: 'answers', state: 'passed', durationMs: 1 }],
  }),
];
const FAILED = [
  stage('install', 'failed', {
    failure: { blame: 'recipe', message: 'no health', evidence: ['exit 1'] },
  }),
];

function build(state: BuildState, reason?: string): Build {
  return {
    id: REQUEST.run,
    request: REQUEST,
    state,
    createdAt: '2026-11-21T12:00:00.000Z',
    startedAt: '2026-11-21T12:00:01.000Z',
    finishedAt: undefined,
    position: state === 'queued' ? 2 : undefined,
    reason,
  };
}

const progressWith = (theBuild: Build | undefined, record?: RunRecord) =>
  readProgress(REQUEST.run, theBuild, async () => record);

async function outcomeWith(theBuild: Build | undefined, record?: RunRecord): Promise<Outcome> {
  const progress = await progressWith(theBuild, record);
  return progress.phase === 'ended' ? progress.outcome : expect.fail(`it is ${progress.phase}`);
}

describe('how far a run is', () => {
  it('is the place in the queue', async () => {
    expect(await progressWith(build('queued'))).to.deep.equal({ phase: 'queued', position: 2 });
  });

  it('is its stages while it runs, also before there are any and while they cannot be read', async () => {
    const since = '2026-11-21T12:00:01.000Z';
    const running = build('running');
    expect(await progressWith(running, recordOf(REQUEST, FAILED))).to.deep.equal({
      phase: 'running',
      since,
      stages: FAILED,
    });
    const none = { phase: 'running', since, stages: [] };
    expect(await progressWith(running)).to.deep.equal(none);
    expect(
      await readProgress(REQUEST.run, running, () => Promise.reject(new InputError('torn'))),
    ).to.deep.equal(none);
  });

  it('is what the record says, once it ended', async () => {
    expect(await outcomeWith(build('success'), recordOf(REQUEST, PASSED, GREEN))).to.deep.equal(GREEN);
    const red: Outcome = { verdict: 'red', blame: 'recipe', sentence: 'install: no health', evidence: [] };
    expect(await outcomeWith(build('failure'), recordOf(REQUEST, FAILED, red))).to.deep.equal(red);
    expect(await outcomeWith(build('success'), recordOf(REQUEST, FAILED, red))).to.deep.equal(red);
    expect(await outcomeWith(build('lost'), recordOf(REQUEST, PASSED, GREEN))).to.deep.equal(GREEN);
  });

  it('is never green when the engine saw it fail', async () => {
    expect(await outcomeWith(build('failure'), recordOf(REQUEST, PASSED, GREEN))).to.deep.equal({
      verdict: 'error',
      blame: 'ci',
      sentence: 'the record says green, but the engine saw the run fail',
      evidence: ['the engine says: the build failed'],
    });
  });

  it('is never green when the record was not closed', async () => {
    expect(await outcomeWith(build('success'), recordOf(REQUEST, PASSED))).to.deep.equal({
      verdict: 'error',
      blame: 'ci',
      sentence: 'the run ended without closing its record',
      evidence: ['the engine says: the build succeeded'],
    });
  });

  it('is judged from the stages when the run was killed', async () => {
    expect(await outcomeWith(build('error', 'took too long'), recordOf(REQUEST, FAILED))).to.deep.equal({
      verdict: 'red',
      blame: 'recipe',
      sentence: 'install: no health; the recipe needs a fix',
      evidence: ['exit 1', 'the engine says: the build ended with an error: took too long'],
    });
    const cut = await outcomeWith(
      build('lost', 'restarted'),
      recordOf(REQUEST, [stage('install', 'running')]),
    );
    expect(cut).to.include({ verdict: 'error', blame: 'ci' });
    expect(cut.sentence).to.match(/^the run ended during install without a result/);
  });

  it('is cancelled when it was cancelled', async () => {
    const cancelled: Outcome = {
      verdict: 'cancelled',
      blame: 'cancelled',
      sentence: 'stopped by bob',
      evidence: [],
    };
    expect(await outcomeWith(build('cancelled', 'stopped by bob'))).to.deep.equal(cancelled);
    const record = recordOf(REQUEST, [stage('install', 'running')]);
    expect(await outcomeWith(build('cancelled', 'stopped by bob'), record)).to.deep.equal(cancelled);
  });

  const without: [Build | undefined, string, string[]][] = [
    [
      build('success'),
      'the run ended without a record, so nothing is known of it',
      ['the engine says: the build succeeded'],
    ],
    [
      build('error', 'the runner could not be started: no such file'),
      'the run ended before it wrote a record',
      ['the engine says: the build ended with an error: the runner could not be started: no such file'],
    ],
    [build('lost', 'the engine was restarted'), 'the engine was restarted', []],
    [
      undefined,
      'the engine does not know this run',
      ['the engine has no build of this run; its database may have been replaced'],
    ],
  ];
  for (const [theBuild, sentence, evidence] of without) {
    it(`is what the engine knows where there is no record: ${theBuild?.state ?? 'nothing'}`, async () => {
      expect(await outcomeWith(theBuild)).to.deep.equal({
        verdict: 'error',
        blame: 'ci',
        sentence,
        evidence,
      });
    });
  }

  it('is said when the record is damaged, and tried again when it only could not be reached', async () => {
    const damaged = await readProgress(REQUEST.run, build('success'), () =>
      Promise.reject(new InputError('plan.json is not JSON')),
    );
    expect(damaged).to.deep.equal({
      phase: 'ended',
      stages: [],
      outcome: {
        verdict: 'error',
        blame: 'ci',
        sentence: 'the run ended, but its record cannot be read',
        evidence: ['plan.json is not JSON', 'the engine says: the build succeeded'],
      },
    });
    const unreachable = readProgress(REQUEST.run, build('success'), () => Promise.reject(new Error('EIO')));
    expect(await unreachable.catch((error: Error) => error.message)).to.equal('EIO');
  });
});
