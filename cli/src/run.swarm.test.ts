import { spawn } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  connectDocker,
  disconnectDocker,
  killMarked,
  listServices,
  newRunId,
  type RunRecord,
  runFolder,
  STAGES,
  type StageName,
  stageLogFile,
} from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { selfCommand } from './runner-process.js';
import { nodeStaysAsItIs } from './testing/node-state.js';
import { findProcesses } from './testing/processes.js';
import { type Rig, type RunnerProcess, startRig } from './testing/rig.js';

/** What the node holds before each test is what it must hold after. */
describe('cc-ci run, on the real swarm', function () {
  this.timeout(600_000);
  let rig: Rig;

  before(async () => {
    rig = await startRig(['nginx', 'radicale']);
  });
  after(() => rig.close());
  nodeStaysAsItIs();

  const recordOf = async ({ run }: RunnerProcess): Promise<RunRecord> =>
    (await rig.record(run)) ?? expect.fail('no record');
  const stagesOf = (record: RunRecord) =>
    Object.fromEntries(record.stages.map(({ stage, state }) => [stage, state]));
  const stageOf = (record: RunRecord, name: StageName) =>
    record.stages.find(({ stage }) => stage === name) ?? expect.fail(`no ${name}`);
  const logOf = ({ run }: RunnerProcess, stage: StageName) =>
    readFile(stageLogFile(runFolder(rig.stateDir, run), stage), 'utf8');

  /** Resolves when the run's stack has a service on the node: in the middle of its deployment. */
  const deploying = async (runner: RunnerProcess): Promise<string> => {
    const docker = connectDocker();
    try {
      return await until(async () => {
        const app = (await rig.record(runner.run))?.plan.app;
        return app !== undefined && (await listServices(docker, app.stack)).length > 0 && app.stack;
      });
    } finally {
      await disconnectDocker(docker);
    }
  };

  it('takes a good change through every stage, leaves a whole record, and keeps its secrets to itself', async () => {
    const runner = await rig.start('radicale', 'good-change');
    const secrets = await until(() =>
      readFile(join(runFolder(rig.stateDir, runner.run), 'secrets.json'), 'utf8').catch(() => undefined),
    );
    expect(await runner.ended, runner.output()).to.equal(0);
    const record = await recordOf(runner);
    expect(record.summary?.outcome.verdict).to.equal('green');
    expect(new Set(Object.values(stagesOf(record)))).to.deep.equal(new Set(['passed']));
    const sources = (name: StageName) => new Set(stageOf(record, name).tests.map(({ source }) => source));
    for (const name of ['install', 'upgrade', 'backup'] as const) {
      expect(sources(name), name).to.deep.equal(new Set(['generic', 'cc-ci']));
    }
    expect(sources('recipe-tests')).to.deep.equal(new Set(['recipe', 'generic']));
    // All below 8 is shown by this one run; steady takes more of them.
    expect(record.summary?.level).to.include({ value: 7 });
    expect(record.plan.base?.version).to.equal('1.1.0+3.1.8');
    const install = stageOf(record, 'install');
    const picture =
      install.artifacts.find(({ kind }) => kind === 'screenshot') ?? expect.fail('no screenshot');
    expect((await stat(join(record.dir, picture.path))).size).to.be.greaterThan(2_000);
    expect(record.plan.tools.abra).to.equal('0.0.0-standin');
    expect(await logOf(runner, 'install'))
      .to.include('abra app deploy')
      .and.match(/every service is up/);

    const values = Object.values(JSON.parse(secrets) as Record<string, string>);
    expect(values).to.have.length.greaterThan(0);
    const logs = await Promise.all(STAGES.map((stage) => logOf(runner, stage)));
    for (const value of values)
      for (const text of [runner.output(), JSON.stringify(record), ...logs])
        expect(text).to.not.include(value);
    const left = await readdir(record.dir);
    for (const name of ['secrets.json', 'app.json', 'recipe.json', 'abra', 'test-code', 'tmp', 'marker'])
      expect(left).to.not.include(name);
    expect(await readdir(join(rig.dir, 'backups')).catch(() => [])).to.deep.equal([]);
  });

  it('says of a change that does not come up that the recipe is to blame, with its log', async () => {
    const runner = await rig.start('custom-html', 'broken-change');
    expect(await runner.ended).to.equal(1);
    const { summary, stages } = await recordOf(runner);
    expect(summary?.outcome).to.include({ verdict: 'red', blame: 'recipe' });
    expect(summary?.outcome.evidence.join('\n')).to.match(/nginx.*emerg|unknown directive|invalid/i);
    expect(stages.find(({ stage }) => stage === 'teardown')?.state).to.equal('passed');
  });

  it("ends a recipe that does not parse in prepare, with the compose file's own error", async () => {
    const runner = await rig.start('custom-html', 'unparsable');
    expect(await runner.ended).to.equal(1);
    const record = await recordOf(runner);
    expect(stagesOf(record)).to.include({ prepare: 'failed', install: 'not-run' });
    expect(record.summary?.outcome).to.include({ verdict: 'red', blame: 'recipe' });
    expect(record.summary?.outcome.sentence).to.match(/compose\.yml: .* at line \d+, column \d+/);
  });

  it('blames the forge for a commit that is gone', async () => {
    const runner = await rig.start('custom-html', 'good-change', [`--ref=${'0'.repeat(40)}`]);
    expect(await runner.ended).to.equal(2);
    expect((await recordOf(runner)).summary?.outcome).to.include({ verdict: 'error', blame: 'forge' });
  });

  it('tears down when told to stop, and says cancelled', async () => {
    const runner = await rig.start('custom-html', 'good-change');
    await deploying(runner);
    runner.child.kill('SIGTERM');
    expect(await runner.ended).to.equal(2);
    expect((await recordOf(runner)).summary?.outcome).to.include({
      verdict: 'cancelled',
      blame: 'cancelled',
    });
  });

  it('tears down at its deadline, and says timeout', async () => {
    const runner = await rig.start('custom-html', 'good-change', ['--timeout=2']);
    expect(await runner.ended).to.equal(2);
    expect((await recordOf(runner)).summary?.outcome).to.include({ verdict: 'error', blame: 'timeout' });
  });

  it('killed in the middle of a deployment, is cleaned up after by its watchdog', async () => {
    const runner = await rig.start('custom-html', 'good-change');
    await deploying(runner);
    runner.child.kill('SIGKILL');
    expect(await runner.ended).to.equal('SIGKILL');
    const summary = await until(async () => (await rig.record(runner.run))?.summary);
    expect(summary.outcome).to.include({ verdict: 'error', blame: 'ci' });
    expect(summary.outcome.sentence).to.match(/^install: the runner was killed/);
  });

  it('killed together with its watchdog, is cleaned up after by the next run', async () => {
    const runner = await rig.start('custom-html', 'good-change');
    await deploying(runner);
    const watchdogs = await findProcesses('watchdog', runFolder(rig.stateDir, runner.run));
    expect(watchdogs).to.have.length(1);
    for (const pid of watchdogs) process.kill(pid, 'SIGKILL');
    runner.child.kill('SIGKILL');
    await runner.ended;
    const next = await rig.start('custom-html', 'unparsable');
    expect(await next.ended).to.equal(1);
    expect(stageOf(await recordOf(next), 'prepare').notes.join()).to.include(runner.run);
    expect((await recordOf(runner)).summary?.outcome.sentence).to.include('was killed');
    expect(await killMarked('CC_CI_RUN', runner.run)).to.deep.equal([]);
  });

  it('does the same stage by stage, each a process of its own', async () => {
    const { src, ref } = await rig.recipe('custom-html', 'good-change');
    const id = newRunId();
    const stage = (name: string, ...flags: string[]) =>
      rig.spawn(id, ['stage', name, `--run=${id}`, ...flags]);
    const whole = ['--recipe=custom-html', `--ref=${ref}`, `--src=${src}`];
    expect(await stage('install').ended).to.equal(2);
    expect(await stage('prepare', ...whole).ended).to.equal(0);
    const twice = stage('prepare', ...whole);
    expect(await twice.ended).to.equal(2);
    expect(twice.output()).to.include('exists already');
    const install = stage('install');
    expect(await install.ended, install.output()).to.equal(0);
    const upgrade = stage('upgrade');
    expect(await upgrade.ended, upgrade.output()).to.equal(0);
    expect(await stage('teardown').ended).to.equal(0);
    const record = await rig.record(id);
    expect(stagesOf(record ?? expect.fail('no record'))).to.include({
      install: 'passed',
      upgrade: 'passed',
      teardown: 'passed',
      backup: 'pending',
    });
    // Two stages were never called for: that is not green.
    expect(record?.summary?.outcome).to.include({ verdict: 'error', blame: 'ci' });
    expect(await stage('install').ended).to.equal(2);
  });

  it('stops and cleans up when the process that started it is gone', async () => {
    const id = newRunId();
    const { src, ref } = await rig.recipe('custom-html', 'good-change');
    const [node = '', ...args] = selfCommand(
      'run',
      'custom-html',
      `--run=${id}`,
      `--ref=${ref}`,
      `--src=${src}`,
    );
    // A shell of its own between us and the runner, in its own process group, as an engine would be.
    const engine = spawn('sh', ['-c', '"$@" & wait', 'sh', node, ...args], {
      env: rig.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await until(async () => (await rig.record(id))?.plan.app);
    engine.kill('SIGKILL');
    engine.stdout?.destroy();
    const summary = await until(async () => (await rig.record(id))?.summary);
    expect(summary.outcome).to.include({ verdict: 'cancelled', blame: 'cancelled' });
    await until(async () => (await findProcesses(`--run=${id}`)).length === 0);
  });

  it('names a tool that is missing, and how to get it, before anything is deployed', async () => {
    for (const [variable, hint] of [
      ['CC_CI_ABRA', 'CC_CI_ABRA'],
      ['CC_CI_CHROMIUM', 'apt-get install chromium'],
    ] as const) {
      const { src, ref } = await rig.recipe('custom-html', 'good-change');
      const id = newRunId();
      const args = ['run', 'custom-html', `--run=${id}`, `--ref=${ref}`, `--src=${src}`];
      const runner = rig.spawn(id, args, { [variable]: '/nowhere/tool' });
      expect(await runner.ended).to.equal(2);
      expect(runner.output()).to.include('/nowhere/tool').and.include(hint);
      expect(stagesOf(await recordOf(runner))).to.include({
        prepare: 'failed',
        install: 'not-run',
        teardown: 'passed',
      });
    }
  });

  it('refuses bad input before any process is started', async () => {
    const ref = `--ref=${'a'.repeat(40)}`;
    const src = '--src=http://127.0.0.1:9/x.git';
    const bad: [string[], string][] = [
      [['run', 'x;y', ref, src], 'recipe: '],
      [['run', '../x', ref, src], 'recipe: '],
      [['run', 'ok', '--ref=--upload-pack=id', src], 'ref: a ref is a branch, a tag or a commit id'],
      [['run', 'ok', '--ref=main', src], 'there is no recipe to be read at http://127.0.0.1:9/x.git'],
      [['run', 'ok', ref, '--src=ext::sh -c id'], 'src: '],
      [['run', 'ok', ref, '--dir=.'], '--dir tests a working tree as it is'],
      [['run', 'ok', '--dir=/nowhere'], 'there is no such folder'],
      [['run', 'ok', ref, src, '--stage=deploy'], '--stage "deploy"'],
      [['run', 'ok', ref, src, '--json'], '--json goes with --plan only'],
      [['stage', 'prepare', '--run=abcdefgh', '--recipe=ok', ref], 'src: is missing'],
      [['run', 'ok', ref, src, '--pr=1;2'], 'pr: '],
      [['run', 'ok', ref, src, '--repo=../x'], 'repo: '],
      [['run', 'ok', ref, src, '--run=../../x'], 'run: '],
      [['run', 'ok', ref, src, '--timeout=soon'], '--timeout: '],
      [['stage', 'deploy', '--run=abcdefgh'], 'stage "deploy"'],
      [['report', '..'], 'run: '],
      [['teardown', '..'], 'run: '],
      [['teardown', 'abcdefgh'], 'there is no run abcdefgh'],
    ];
    const before = await readdir(join(rig.stateDir, 'runs')).catch(() => []);
    for (const [args, message] of bad) {
      const refused = rig.spawn('none', args);
      expect(await refused.ended, args.join(' ')).to.equal(2);
      expect(refused.output()).to.include(message);
    }
    expect(await readdir(join(rig.stateDir, 'runs')).catch(() => [])).to.deep.equal(before);
  });

  it('runs four at once, one recipe at two commits among them, and no janitor harms a neighbour', async () => {
    const wanted = [
      ['custom-html', 'good-change'],
      ['custom-html', '1.1.0+1.22.1'],
      ['radicale', 'good-change'],
      ['radicale', '1.1.0+3.1.8'],
    ] as const;
    const runners: RunnerProcess[] = [];
    const stacks = new Set<string>();
    // Each begins, and cleans up after others, while those before it are in the middle of their deployment.
    for (const [recipe, ref] of wanted) {
      const runner = await rig.start(recipe, ref, ['--stage=install']);
      runners.push(runner);
      stacks.add(await deploying(runner));
    }
    expect(stacks.size).to.equal(wanted.length);
    for (const runner of runners) expect(await runner.ended, runner.output()).to.equal(0);
  });
});
