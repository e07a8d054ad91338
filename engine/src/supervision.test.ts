import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { buildFiles, buildsFolder, type Job, type JobEnd, takeClaim } from './job.js';
import { outcomeOf, readClaim, readEnd, startSupervisor } from './supervision.js';
import { noneMarked } from './testing/engine-contract.js';

const ID = 'abcd2345';

describe('the supervisor of a build', () => {
  let dir: string;
  let files: ReturnType<typeof buildFiles>;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-supervisor-'));
    files = buildFiles(dir, ID);
    await mkdir(buildsFolder(dir));
  });
  afterEach(async () => {
    await noneMarked('CC_CI_TEST', dir);
    await rm(dir, { recursive: true });
  });

  const jobFor = (script: string, more: Partial<Job> = {}): Job => ({
    file: 'sh',
    args: ['-c', script],
    cwd: dir,
    timeoutMs: 60_000,
    graceMs: 5_000,
    withParent: false,
    claim: files.claim,
    end: files.end,
    ...more,
  });
  const start = (job: Job) => startSupervisor(job, files.log, { ...process.env, CC_CI_TEST: dir });
  const supervise = async (job: Job) => {
    await once(start(job), 'exit');
    return readEnd(files.end);
  };
  const log = () => readFileSync(files.log, 'utf8');

  it('writes what the build prints into its log, in its order, and how it ended', async () => {
    const end = await supervise(jobFor('echo one; echo two >&2; printf three; exit 1'));
    expect(end).to.include({ why: 'ended', exitCode: 1, signal: null });
    expect(Date.parse(end?.at ?? '')).to.be.closeTo(Date.now(), 10_000);
    expect(log()).to.equal('one\ntwo\nthree');
  });

  it('runs a build once, however many are started for it', async () => {
    const job = jobFor(`echo started >> ${join(dir, 'starts')}; sleep 0.1`);
    const exits = Array.from({ length: 6 }, () => once(start(job), 'exit'));
    expect((await Promise.all(exits)).map(([code]) => code)).to.deep.equal([0, 0, 0, 0, 0, 0]);
    expect(await readFile(join(dir, 'starts'), 'utf8')).to.equal('started\n');
    await supervise(job);
    expect(await readFile(join(dir, 'starts'), 'utf8')).to.equal('started\n');
  });

  it('starts nothing that somebody else has taken', async () => {
    expect(takeClaim(files.claim, {})).to.equal(true);
    expect(takeClaim(files.claim, {})).to.equal(false);
    expect(await supervise(jobFor('echo never'))).to.equal(undefined);
    expect(log()).to.equal('');
  });

  it('says who it is and who the runner is, and hands a signal on', async () => {
    start(jobFor('trap "echo torn down; exit 2" TERM; echo ready; while :; do sleep 0.02; done'));
    await until(() => readClaim(files.claim)?.runner !== undefined && log().includes('ready'));
    const { supervisor, runner } = readClaim(files.claim) ?? {};
    if (!supervisor || !runner) return expect.fail('nobody has claimed it');
    expect([isRunning(supervisor), isRunning(runner)]).to.deep.equal([true, true]);
    process.kill(supervisor.pid, 'SIGTERM');
    process.kill(supervisor.pid, 'SIGTERM');
    await until(() => readEnd(files.end) !== undefined);
    expect(readEnd(files.end)).to.include({ why: 'stopped', exitCode: 2 });
    expect(log()).to.include('torn down\n');
    await until(() => !isRunning(supervisor));
  });

  it('kills what does not end in time, with everything it has started', async () => {
    const stubborn = 'trap "" TERM; (trap "" TERM; sleep 1000) & while :; do sleep 1; done';
    const end = await supervise(jobFor(stubborn, { timeoutMs: 100, graceMs: 100 }));
    expect(end).to.include({ why: 'timeout', signal: 'SIGKILL' });
    expect(end?.message).to.equal('the build took longer than 0.1 s and was ended');
  });

  it('leaves nothing of a runner that ended and left something', async () => {
    expect(await supervise(jobFor('sleep 1000 & exit 0'))).to.include({ why: 'ended', exitCode: 0 });
  });

  it('ends the build with the process that started it, where it is told to', async () => {
    const child = start(
      jobFor('trap "exit 2" TERM; echo ready; while :; do sleep 0.02; done', { withParent: true }),
    );
    await until(() => log().includes('ready'));
    child.stdin?.destroy(); // as the kernel does when we die
    await once(child, 'exit');
    expect(readEnd(files.end)).to.include({ why: 'parent-gone', exitCode: 2 });
  });

  it('says why a runner cannot be run', async () => {
    const end = await supervise(jobFor('', { file: '/no/such/runner' }));
    expect(end?.why).to.equal('not-started');
    expect(end?.message).to.include('/no/such/runner');
  });

  it('takes no order it does not understand', async () => {
    expect(await supervise({} as Job)).to.equal(undefined);
    expect(log()).to.include("the build's supervisor: ");
  });
});

describe('what the end of a runner means', () => {
  const at = '2026-11-21T12:00:00.000Z';
  const end = (why: JobEnd['why'], exitCode: number | null = null, signal: string | null = null): JobEnd => ({
    why,
    exitCode,
    signal,
    at,
    ...(why === 'timeout' ? { message: 'too long' } : {}),
  });
  const cases: [string, JobEnd, string | undefined, string, string | undefined][] = [
    ['exit code 0', end('ended', 0), undefined, 'success', undefined],
    ['exit code 1', end('ended', 1), undefined, 'failure', undefined],
    ['exit code 2', end('ended', 2), undefined, 'error', undefined],
    ['exit code 3', end('ended', 3), undefined, 'error', 'the runner ended unexpectedly: exit code 3'],
    [
      'a signal',
      end('ended', null, 'SIGKILL'),
      undefined,
      'error',
      'the runner ended unexpectedly: it was ended by SIGKILL',
    ],
    ['its own end before the wish was heard', end('ended', 0), 'alice', 'success', undefined],
    ['a wish', end('stopped', 2), 'alice', 'cancelled', 'alice'],
    ['a wish while the engine was gone', end('parent-gone', 2), 'alice', 'cancelled', 'alice'],
    ['a timeout, wished away or not', end('timeout', 2), 'alice', 'error', 'too long'],
    [
      'the end of the engine',
      end('parent-gone', 2),
      undefined,
      'lost',
      'the engine was gone while this build ran; comment !testme to run it again',
    ],
  ];
  for (const [name, runnerEnd, wish, state, reason] of cases) {
    it(`${name}: ${state}`, () => {
      expect(outcomeOf(runnerEnd, wish)).to.deep.equal({ state, reason, at });
    });
  }
});
