import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { CommandLimitError, CommandTimeoutError } from './errors.js';
import { run } from './process.js';
import { sendSignal } from './process-group.js';
import type { RunLimits } from './run-limits.js';

const MIB = 2 ** 20;

describe('programs with limits', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-limits-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const limitOf = async (running: Promise<unknown>): Promise<CommandLimitError> => {
    const error = await running.then(
      () => expect.fail('it stayed within its limits'),
      (thrown: unknown) => thrown,
    );
    if (error instanceof CommandLimitError) return error;
    throw error;
  };
  const shell = (script: string, limits: RunLimits, options: { timeoutMs?: number } = {}) =>
    run('sh', ['-c', script], { cwd: dir, keep: 0, timeoutMs: 20_000, ...options, limits });
  const pidIn = async (name: string) => Number(await readFile(join(dir, name), 'utf8'));
  const eats = (mib: number) => `${process.execPath} -e "
    const held = []; for (let i = 0; i < ${mib}; i++) held.push(Buffer.alloc(${MIB}, 1));
    setTimeout(() => console.log(held.length), 10_000)"`;

  it('run as any other within them', async () => {
    const result = await shell('echo fine; exit 0', { memoryBytes: 100 * MIB, outputBytes: 100 });
    expect(result.exitCode).to.equal(0);
  });

  it('are killed when they use too much memory', async () => {
    const error = await limitOf(shell(eats(300), { memoryBytes: 200 * MIB }));
    expect(error.limit).to.equal('memoryBytes');
    expect(error.message).to.match(/used more than 200 MiB of memory and was killed$/);
  });

  it('are killed for the memory of children that left the group, and these with them', async () => {
    const script = `setsid sh -c 'echo $$ > pid; ${eats(300).replaceAll("'", '')}' & sleep 1000`;
    expect((await limitOf(shell(script, { memoryBytes: 200 * MIB }))).limit).to.equal('memoryBytes');
    expect(await isGone(await pidIn('pid'))).to.equal(true);
  });

  it('are killed when they print too much, in lines or without any', async () => {
    for (const script of ['yes', 'tr "\\\\0" x < /dev/zero', 'yes >&2']) {
      let seen = 0;
      const error = await limitOf(
        run('sh', ['-c', script], {
          keep: 0,
          timeoutMs: 20_000,
          limits: { outputBytes: 2 * MIB },
          onLine: (line) => {
            seen += line.length + 1;
          },
        }),
      );
      expect(error.message).to.match(/printed more than 2 MiB and was killed$/);
      expect(seen).to.be.at.most(2 * MIB + 1);
    }
  });

  it('take with them what left their group, also without the mark', async () => {
    const daemon = (name: string, how: string) =>
      `${how} setsid sh -c 'echo $$ > ${name}; exec sleep 1000' < /dev/null > /dev/null 2>&1 &`;
    await shell(`${daemon('marked', '')} ${daemon('unmarked', 'env -i')} sleep 1`, {
      memoryBytes: 500 * MIB,
    });
    expect(await isGone(await pidIn('marked'))).to.equal(true);
    expect(await isGone(await pidIn('unmarked'))).to.equal(true);
  });

  it('take with them what left their group when their time is up', async () => {
    const script = "setsid sh -c 'echo $$ > pid; exec sleep 1000' & sleep 1000";
    const error = await shell(script, {}, { timeoutMs: 500 }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(CommandTimeoutError);
    expect(await isGone(await pidIn('pid'))).to.equal(true);
  });

  it('are not waited for when one got away with their output open', async () => {
    // Neither group nor mark nor parent, before anybody could have looked.
    const script =
      "env -i setsid --fork sh -c 'echo $$ > pid; exec sleep 1000'; until [ -s pid ]; do :; done";
    const result = await shell(script, { memoryBytes: 500 * MIB }, { timeoutMs: 10_000 });
    expect(result.exitCode).to.equal(0);
    sendSignal(await pidIn('pid'), 'SIGKILL');
  });

  it("leave alone what is not theirs, though it carries the same run's mark", async () => {
    const env = { ...process.env, CC_CI_RUN: 'abcd2345' };
    const other: ChildProcess = spawn('sleep', ['1000'], { env, stdio: 'ignore' });
    try {
      await run('true', [], { env, limits: {} });
      expect(await isGone(other.pid ?? 0)).to.equal(false);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
  });
});

/** Whether a process is no more, or only waits to be collected by its parent. */
async function isGone(pid: number): Promise<boolean> {
  try {
    return /^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}
