import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedactor, readJson, stageFile, stageLogFile, stageRecord } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Progress } from './progress.js';
import { startStage } from './recorder.js';

const SECRET = 'correct horse battery';

describe('the recorder of a stage', () => {
  let dir: string;
  let told: Progress[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-recorder-'));
    told = [];
  });
  afterEach(() => rm(dir, { recursive: true }));

  const start = () =>
    startStage(
      dir,
      'install',
      () => createRedactor([SECRET]),
      (event) => void told.push(event),
    );
  const written = () => readJson(stageFile(dir, 'install'), stageRecord);

  it('tells what happens as it happens, and writes it first', async () => {
    const stage = await start();
    expect((await written())?.state).to.equal('running');
    await stage.phase('deploy', false, async () => {
      expect(told.at(-1)).to.deep.equal({ kind: 'phase-start', stage: 'install', phase: 'deploy' });
      expect((await written())?.phases.map(({ name, finishedAt }) => [name, finishedAt])).to.deep.equal([
        ['deploy', undefined],
      ]);
    });
    await stage.finish({ state: 'passed' });
    expect(told.map(({ kind }) => kind)).to.deep.equal([
      'stage-start',
      'phase-start',
      'phase-end',
      'stage-end',
    ]);
    expect(told.at(-1)).to.include({ state: 'passed' }).and.not.have.property('why');
  });

  it('tells the end of a phase that failed too', async () => {
    const stage = await start();
    const failing = stage.phase('tests', false, async () => {
      throw new Error('no');
    });
    expect(await failing.then(() => 'passed', String)).to.equal('Error: no');
    expect(told.at(-1)).to.include({ kind: 'phase-end', phase: 'tests' });
  });

  it('lets no secret out: not in events, not in the record, not in the log', async () => {
    const stage = await start();
    const text = `it said ${SECRET}`;
    await stage.test({
      source: 'cc-ci',
      suite: text,
      title: text,
      state: 'failed',
      durationMs: 1,
      message: text,
    });
    await stage.finding({ rule: 'some-rule', severity: 'note', message: text });
    await stage.note(text);
    stage.log(text);
    await stage.finish({ state: 'failed', failure: { blame: 'recipe', message: text, evidence: [text] } });
    const all = [
      JSON.stringify(told),
      JSON.stringify(await written()),
      await readFile(stageLogFile(dir, 'install'), 'utf8'),
    ];
    for (const it of all) {
      expect(it).to.include('it said [redacted]');
      expect(it).to.not.include(SECRET);
    }
    expect(told.map(({ kind }) => kind)).to.deep.equal([
      'stage-start',
      'test',
      'finding',
      'note',
      'stage-end',
    ]);
  });
});
