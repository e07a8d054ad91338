import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { InputError } from './errors.js';
import { readFileIfAny, writeFileAtomic, writeJson } from './files.js';
import {
  listRuns,
  type Plan,
  pendingStage,
  planFile,
  readRun,
  runFolder,
  STAGES,
  stageFile,
} from './record.js';

describe('run record', () => {
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'cc-ci-record-'));
  });
  afterEach(() => rm(stateDir, { recursive: true }));

  const planOf = (run: string, createdAt: string): Plan => ({
    schema: 1,
    request: { run, recipe: 'custom-html', ref: 'a'.repeat(40), src: '/srv/r.git' },
    mode: 'run',
    createdAt,
    stages: [...STAGES],
    snapshots: [],
    overlays: [],
    tools: {},
  });

  it('is readable from its first second: stages without a file are pending', async () => {
    const dir = runFolder(stateDir, 'aaaaaaaa');
    await writeJson(planFile(dir), planOf('aaaaaaaa', '2026-11-21T08:00:00.000Z'));
    await writeJson(stageFile(dir, 'prepare'), { ...pendingStage('prepare'), state: 'running' });
    const record = await readRun(dir);
    expect(record?.stages.map((stage) => stage.state)).to.deep.equal([
      'running',
      ...Array(5).fill('pending'),
    ]);
    expect(record?.summary).to.equal(undefined);
  });

  it('lists the newest first, and broken folders as broken', async () => {
    expect(await listRuns(stateDir)).to.deep.equal({ runs: [], broken: [] });
    await writeJson(
      planFile(runFolder(stateDir, 'aaaaaaaa')),
      planOf('aaaaaaaa', '2026-11-21T08:00:00.000Z'),
    );
    await writeJson(
      planFile(runFolder(stateDir, 'bbbbbbbb')),
      planOf('bbbbbbbb', '2026-11-21T09:00:00.000Z'),
    );
    await writeFileAtomic(planFile(runFolder(stateDir, 'cccccccc')), '{"schema": 1');
    await mkdir(runFolder(stateDir, 'dddddddd'));
    await writeFileAtomic(planFile(runFolder(stateDir, 'eeeeeeee')), '{"schema": 2}');
    const { runs, broken } = await listRuns(stateDir);
    expect(runs.map((record) => record.run)).to.deep.equal(['bbbbbbbb', 'aaaaaaaa']);
    expect(broken.map((item) => item.run).sort()).to.deep.equal(['cccccccc', 'dddddddd', 'eeeeeeee']);
    expect(broken.find((item) => item.run === 'cccccccc')?.error).to.include('is not JSON');
  });

  it('refuses paths of artifacts that leave the run', async () => {
    const dir = runFolder(stateDir, 'aaaaaaaa');
    await writeJson(planFile(dir), planOf('aaaaaaaa', '2026-11-21T08:00:00.000Z'));
    for (const path of ['../x', '/etc/passwd', 'a/../../x']) {
      const artifact = { kind: 'screenshot', path, title: 't' };
      await writeJson(stageFile(dir, 'install'), { ...pendingStage('install'), artifacts: [artifact] });
      try {
        await readRun(dir);
        expect.fail(`${path} was accepted`);
      } catch (error) {
        expect(error).to.be.instanceOf(InputError);
      }
    }
  });

  it('writes files whole: a reader never sees a part', async () => {
    const path = join(stateDir, 'big.json');
    const contents = ['a'.repeat(300_000), 'b'.repeat(300_000)];
    let writing = true;
    const writer = (async () => {
      for (let i = 0; i < 40; i++) await writeFileAtomic(path, contents[i % 2] ?? '');
      writing = false;
    })();
    while (writing) {
      const seen = await readFileIfAny(path);
      if (seen !== undefined) expect(contents.includes(seen)).to.equal(true);
    }
    await writer;
  });
});
