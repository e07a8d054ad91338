import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { identifyProcess, isRunning } from './process-identity.js';
import { until } from './testing/until.js';

describe('the identity of a process', () => {
  it('holds as long as it runs, and for no other', async () => {
    const child = spawn('sh', ['-c', 'echo ready; read never'], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    const identity = identifyProcess(child.pid ?? 0) ?? expect.fail('it runs');
    expect(identity.pid).to.equal(child.pid);
    expect(isRunning(identity)).to.equal(true);
    expect(isRunning({ ...identity, startTime: `${Number(identity.startTime) - 1}` })).to.equal(false);
    expect(isRunning({ ...identity, boot: 'another' })).to.equal(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isRunning(identity)).to.equal(false);
    expect(identifyProcess(identity.pid)).to.equal(undefined);
  });

  it('is lost by a process that has ended and was not collected', async () => {
    // A shell that has become another program knows nothing of the child it had.
    const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$; exec sleep 0.01" & exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [text] = (await once(parent.stdout, 'data')) as [Buffer];
      await until(() => !identifyProcess(Number(text)));
      expect(() => process.kill(Number(text), 0)).not.to.throw();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('is read where the program has a strange name', async () => {
    const child = spawn('sh', ['-c', 'printf "a) R 1" > /proc/self/task/$$/comm; echo ready; read never'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    const { startTime = '' } = identifyProcess(child.pid ?? 0) ?? {};
    const own = identifyProcess(process.pid) ?? expect.fail('we run');
    expect(Number(startTime)).to.be.at.least(Number(own.startTime));
    child.kill('SIGKILL');
  });
});
