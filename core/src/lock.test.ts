import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { tryLock, waitForLock } from './lock.js';

describe('lock', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-lock-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('is held by one at a time and free after', () => {
    const path = join(dir, 'new', 'lock');
    const held = tryLock(path);
    expect(held).to.not.equal(undefined);
    expect(tryLock(path)).to.equal(undefined);
    held?.release();
    held?.release();
    const again = tryLock(path);
    expect(again).to.not.equal(undefined);
    again?.release();
  });

  it('can be waited for, but not for ever', async () => {
    const path = join(dir, 'lock');
    const held = tryLock(path);
    expect(await waitForLock(path, 60)).to.equal(undefined);
    const waiting = waitForLock(path, 60_000);
    held?.release();
    const lock = await waiting;
    expect(lock).to.not.equal(undefined);
    lock?.release();
  });

  it('ends with the process that held it, although its children live on', async () => {
    const path = join(dir, 'lock');
    const module = new URL('./lock.js', import.meta.url).href;
    const script = `import { tryLock } from ${JSON.stringify(module)};
      import { spawn } from 'node:child_process';
      if (!tryLock(${JSON.stringify(path)})) throw new Error('not free');
      const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
      console.log(child.pid);
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(holder.stdout, 'data');
    try {
      expect(tryLock(path)).to.equal(undefined);
      holder.kill('SIGKILL');
      await once(holder, 'exit');
      const free = tryLock(path);
      expect(free).to.not.equal(undefined);
      free?.release();
    } finally {
      process.kill(Number(String(line)), 'SIGKILL');
    }
  });
});
