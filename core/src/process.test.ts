import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { CancelledError, CommandFailedError, CommandTimeoutError, ToolMissingError } from './errors.js';
import { run } from './process.js';
import { createRedactor } from './redact.js';
import { until } from './testing/until.js';

describe('running programs', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-process-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  /** A shell that starts a grandchild which ignores SIGTERM, notes its id, and waits. */
  const stubborn =
    'trap "" TERM; (trap "" TERM; echo $$ >/dev/null; exec sleep 1000) & echo $! > pid; echo ready; wait; sleep 1000';

  async function gone(): Promise<void> {
    const pid = Number(await readFile(join(dir, 'pid'), 'utf8'));
    await until(async () => !(await stillRuns(pid)));
  }

  it('answers with output and exit code, arguments untouched by any shell', async () => {
    const result = await run('printf', ['%s|', '$HOME', '; id', '`id`', '*']);
    expect(result).to.include({ exitCode: 0, stdout: '$HOME|; id|`id`|*|', stderr: '' });
  });

  it('puts lines together from however many pieces', async () => {
    const lines: string[] = [];
    const script =
      'printf a; sleep 0.1; printf "b\\r\\n\\nc"; sleep 0.1; printf "d\\r"; sleep 0.1; printf "\\ne"';
    await run('sh', ['-c', script], { onLine: (line) => lines.push(line) });
    expect(lines).to.deep.equal(['ab', '', 'cd', 'e']);
  });

  it('gives input on stdin and lines as they come', async () => {
    const lines: string[] = [];
    await run('cat', [], { input: 'one\ntwo\nthree', onLine: (line) => lines.push(line) });
    expect(lines).to.deep.equal(['one', 'two', 'three']);
  });

  it('keeps the end of a long output, or none of it', async () => {
    const count = ['-c', 'i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done'];
    expect((await run('sh', count, { keep: 10 })).stdout).to.equal('line 1999\n');
    expect((await run('sh', count, { keep: 0 })).stdout).to.equal('');
  });

  it('gives the child exactly the environment it is told', async () => {
    const { stdout } = await run('env', [], { env: { PATH: process.env.PATH, ONLY: 'this' } });
    expect(stdout.split('\n').filter((line) => !line.startsWith('PATH='))).to.deep.equal(['ONLY=this', '']);
  });

  it('fails with exit code and the end of the output', async () => {
    const error = await caught(run('sh', ['-c', 'echo oh no >&2; exit 3']));
    expect(error).to.be.instanceOf(CommandFailedError);
    expect((error as CommandFailedError).exitCode).to.equal(3);
    expect((error as Error).message)
      .to.include('failed with exit code 3')
      .and.include('oh no');
    expect((await run('sh', ['-c', 'exit 3'], { okCodes: [0, 3] })).exitCode).to.equal(3);
  });

  it('names a program that is missing and how to get it', async () => {
    const cases = [
      ['/nowhere/docker', {}, 'apt-get install docker.io'],
      ['/nowhere/thing', {}, 'install /nowhere/thing'],
      ['/nowhere/thing', { missingHint: 'ask Alice' }, 'ask Alice'],
    ] as const;
    for (const [file, options, hint] of cases) {
      const error = await caught(run(file, [], options));
      expect(error).to.be.instanceOf(ToolMissingError);
      expect((error as ToolMissingError).hint).to.include(hint);
    }
  });

  it('ends the whole process group at the deadline, also who ignores SIGTERM', async () => {
    const error = await caught(run('sh', ['-c', stubborn], { cwd: dir, timeoutMs: 200, graceMs: 100 }));
    expect(error).to.be.instanceOf(CommandTimeoutError);
    await gone();
  });

  it('ends the whole process group when cancelled', async () => {
    const controller = new AbortController();
    const running = run('sh', ['-c', stubborn], {
      cwd: dir,
      graceMs: 50,
      signal: controller.signal,
      onLine: () => controller.abort(),
    });
    expect(await caught(running)).to.be.instanceOf(CancelledError);
    await gone();
    expect(await caught(run('true', [], { signal: controller.signal }))).to.be.instanceOf(CancelledError);
  });

  it('does not wait for a grandchild that keeps the output open, and leaves none behind', async () => {
    await run('sh', ['-c', '(sleep 1000) & echo $! > pid'], { cwd: dir });
    await gone();
  });

  it('hides secrets in lines and errors', async () => {
    const lines: string[] = [];
    const redactor = createRedactor(['hunter2222']);
    const failing = run('sh', ['-c', 'echo hunter2222; exit 1'], {
      redactor,
      onLine: (line) => lines.push(line),
    });
    expect(((await caught(failing)) as Error).message).to.not.include('hunter2222');
    expect(lines).to.deep.equal(['[redacted]']);
  });

  it('hides a secret that the end of a long output would cut in two', async () => {
    const secret = 'correct-horse-battery-staple';
    const script = `echo ${secret}; i=0; while [ $i -lt 198 ]; do echo 123456789; i=$((i+1)); done; exit 1`;
    for (const tail of ['', '0', '012345']) {
      const failing = run('sh', ['-c', `${script.replace('exit', `echo ${tail}; exit`)}`], {
        redactor: createRedactor([secret]),
      });
      expect(((await caught(failing)) as CommandFailedError).trace.output).to.not.include('staple');
    }
  });
});

async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return expect.fail('it did not fail');
}

/** Whether a process exists and is not just waiting to be collected by its parent. */
async function stillRuns(pid: number): Promise<boolean> {
  try {
    return !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
