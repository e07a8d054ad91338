import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedactor } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { readResultLines, writeResultLine } from './result-lines.js';

const TEST = { suite: 's', title: 't', state: 'passed', durationMs: 1 } as const;
const END = { end: true } as const;

describe('the results of a test process', () => {
  let dir: string;
  let file: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-results-'));
    file = join(dir, 'results.jsonl');
  });
  afterEach(() => rm(dir, { recursive: true }));

  const read = (source: 'generic' | 'cc-ci' | 'recipe' = 'recipe', secrets: string[] = []) =>
    readResultLines(file, source, createRedactor(secrets));
  const problemOf = async (text: string | Buffer) => {
    await writeFile(file, text);
    return (await read()).problem;
  };

  it('are what its reporter wrote, and are whose we say', async () => {
    const picture = { name: 'screenshot', contentType: 'image/png', path: '/x.png' };
    writeResultLine(file, { test: TEST, attachments: [picture] });
    writeResultLine(file, { error: 'a file cannot be loaded' });
    expect((await read()).isComplete).to.equal(false);
    writeResultLine(file, END);
    expect(await read('cc-ci')).to.deep.equal({
      tests: [{ test: { ...TEST, source: 'cc-ci' }, attachments: [picture] }],
      errors: ['a file cannot be loaded'],
      isComplete: true,
    });
  });

  it('are none where it wrote none', async () => {
    expect(await read()).to.deep.equal({ tests: [], errors: [], isComplete: false });
  });

  it('are not relied on when a line is none of a reporter', async () => {
    const lines = ['no json', '{}', 'null', '[]', JSON.stringify({ test: { ...TEST, state: 'great' } })];
    // Whose test it is, is not for the process to say.
    lines.push(JSON.stringify({ test: { ...TEST, source: 'generic' } }), '{"test":');
    for (const line of lines)
      expect(await problemOf(`${JSON.stringify(END)}\n${line}\n`), line).to.include('line 2 of its results');
    expect(await problemOf(Buffer.from([0xff, 0xfe, 0x0a]))).to.include('line 1');
  });

  it('are not relied on when there are too many, or too much', async () => {
    expect(await problemOf(`${JSON.stringify({ test: TEST })}\n`.repeat(2001))).to.include(
      'more than 2000 tests',
    );
    expect(await problemOf(Buffer.alloc(32 * 2 ** 20 + 1, '\n'))).to.include('larger than 32 MiB');
  });

  it('are not read through a link or from a pipe', async () => {
    await symlink('/etc/passwd', file);
    expect((await read()).problem).to.include('cannot be read (ELOOP)');
    await rm(file);
    execFileSync('mkfifo', [file]);
    expect((await read()).problem).to.include('is no plain file');
  });

  it('are cut short where they are long, but not through a secret', async () => {
    const secret = 'correct-horse-battery-staple';
    const message = `${'x'.repeat(7990)}${secret}${'y'.repeat(100)}`;
    writeResultLine(file, { test: { ...TEST, state: 'failed', title: 'z'.repeat(5000), message } });
    const [result] = (await read('recipe', [secret])).tests;
    expect(result?.test.title).to.have.length(502);
    expect(result?.test.message).to.have.length(8002).and.not.include('correct');
  });
});
