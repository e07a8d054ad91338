import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { createRedactor } from './redact.js';
import { redactFile } from './redact-file.js';

describe('redacting a file', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-redact-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('copies it without the secrets, wherever they lie', async () => {
    const secret = 'gehéim-😀-secret';
    const line = `something é ${secret}\n`;
    const [source, target] = [join(dir, 'source.log'), join(dir, 'target.log')];
    // Larger than any buffer on the way, so that some secrets lie across the borders.
    await writeFile(source, line.repeat(20_000));
    await redactFile(source, target, createRedactor([secret]));
    expect(await readFile(target, 'utf8')).to.equal('something é [redacted]\n'.repeat(20_000));
  });

  it('says when there is no such file', async () => {
    const error = await redactFile(join(dir, 'none'), join(dir, 'target'), createRedactor(['secret'])).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.have.property('code', 'ENOENT');
  });
});
