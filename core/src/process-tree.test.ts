import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { killMarked, processTree } from './process-tree.js';

const MIB = 2 ** 20;

describe('finding processes', () => {
  it('finds marked ones wherever they hide', async () => {
    const value = `test-${process.pid}-${Date.now()}`;
    const env = { ...process.env, CC_CI_RUN: value };
    const script = 'sleep 1000 & echo ready; sleep 1000; :';
    const hidden = spawn('setsid', ['--fork', 'sh', '-c', script], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(hidden.stdout, 'data');
    // The shell and its two children, unless it was killed before it came to the second.
    expect(await killMarked('CC_CI_RUN', value)).to.have.length.within(2, 3);
    expect(await killMarked('CC_CI_RUN', value)).to.deep.equal([]);
  });

  it('counts memory that processes share once', async () => {
    // A subshell has the variable of its shell without a copy of it.
    const script =
      'held=$(head -c 67108864 /dev/zero | tr "\\0" x); (echo ready; read never; echo $held) & wait';
    const parent = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      await once(parent.stdout, 'data');
      const tree = processTree(parent.pid ?? 0, 'CC_CI_PROCESS=none');
      expect(tree.exceeds(50 * MIB)).to.equal(true);
      expect(tree.exceeds(110 * MIB)).to.equal(false);
      await tree.kill();
      if (parent.exitCode === null && parent.signalCode === null) await once(parent, 'exit');
      expect(tree.exceeds(0)).to.equal(false);
    } finally {
      parent.kill('SIGKILL');
    }
  });
});
