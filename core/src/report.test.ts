import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { readFileIfAny } from './files.js';
import { pendingStage, STAGES, type StageName, stageLogFile } from './record.js';
import {
  type EndedRun,
  endedReport,
  reportFile,
  runLogFile,
  runReport,
  SHORT_LOG,
  splitLogs,
  writeReport,
} from './report.js';

describe('the report of a run that has ended', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-report-'));
    await mkdir(join(dir, 'logs'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const [startedAt, finishedAt] = ['2026-11-21T08:00:00.000Z', '2026-11-21T08:01:00.000Z'];
  const ended = (): EndedRun => ({
    run: 'aaaaaaaa',
    dir,
    plan: {
      schema: 1,
      request: { run: 'aaaaaaaa', recipe: 'custom-html', ref: 'a'.repeat(40), src: '/srv/r.git', pr: 3 },
      mode: 'run',
      createdAt: startedAt,
      stages: [...STAGES],
      snapshots: [],
      overlays: [],
      tools: {},
    },
    stages: STAGES.map((stage) => ({ ...pendingStage(stage), state: 'passed' })),
    summary: {
      run: 'aaaaaaaa',
      startedAt,
      finishedAt,
      outcome: { verdict: 'red', blame: 'recipe', sentence: 'install: no', evidence: ['exit code 1'] },
      level: { value: 2, scale: 1 },
    },
  });
  const leaveLog = (stage: StageName, text: string) => writeFile(stageLogFile(dir, stage), text);
  const readReport = async () => runReport.parse(JSON.parse(await readFile(reportFile(dir), 'utf8')));

  it('holds the whole record, and in short what programs ask for first', async () => {
    await writeReport(ended());
    const { plan, stages, summary } = ended();
    expect(await readReport()).to.deep.equal({ schema: 2, plan, stages, summary, logs: [] });
    expect(JSON.parse(await readFile(reportFile(dir), 'utf8'))).to.deep.include({
      id: 'aaaaaaaa',
      status: 'red',
      blame: 'recipe',
      level: 2,
      pr: 3,
      repo: null,
      evidence: ['exit code 1'],
      states: Object.fromEntries(STAGES.map((stage) => [stage, 'passed'])),
    });
  });

  it('has the logs of all stages in one text, and finds them there again', async () => {
    await leaveLog('install', 'grün\n==> backup <==\n\n');
    await leaveLog('upgrade', 'cut off');
    await leaveLog('backup', '');
    await writeReport(ended());
    const text = await readFile(runLogFile(dir), 'utf8');
    expect(text).to.equal(
      '==> install <==\ngrün\n==> backup <==\n\n==> upgrade <==\ncut off\n==> backup <==\n',
    );
    const { logs } = await readReport();
    expect(logs).to.deep.equal([
      { stage: 'install', firstLine: 2, lines: 3, bytes: 22 },
      { stage: 'upgrade', firstLine: 6, lines: 1, bytes: 7 },
      { stage: 'backup', firstLine: 8, lines: 0, bytes: 0 },
    ]);
    const found = splitLogs(text, logs) ?? expect.fail('not found');
    expect([...found]).to.deep.equal([
      ['install', ['grün', '==> backup <==', '']],
      ['upgrade', ['cut off']],
      ['backup', []],
    ]);
  });

  it('does not take another text for that of its logs', () => {
    const { logs } = JSON.parse(endedReport(ended(), new Map([['install', 'a\nb\n']])).report);
    for (const other of ['', 'a\nb\n', '==> backup <==\na\nb\n', '==> install <==\na\nb'])
      expect(splitLogs(other, logs), JSON.stringify(other)).to.equal(undefined);
  });

  it('leaves long logs where they are, and takes back what was written when they were short', async () => {
    await leaveLog('install', 'x\n'.repeat(SHORT_LOG.lines));
    await writeReport(ended());
    expect(await readFileIfAny(runLogFile(dir))).to.be.a('string');
    await leaveLog('install', 'x\n'.repeat(SHORT_LOG.lines + 1));
    await writeReport(ended());
    expect(await readFileIfAny(runLogFile(dir))).to.equal(undefined);
    expect((await readReport()).logs).to.deep.equal([]);
    await leaveLog('install', 'x'.repeat(SHORT_LOG.bytes));
    await leaveLog('upgrade', 'x');
    await writeReport(ended());
    expect(await readFileIfAny(runLogFile(dir))).to.equal(undefined);
  });
});
