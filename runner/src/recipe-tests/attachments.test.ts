import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { unzipSync, zipSync } from 'fflate';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { StageContext } from '../context.js';
import { testContext } from '../testing/context.js';
import { artifactKind, keepRedacted } from './attachments.js';

const SECRET = 'long-secret';

describe('what browser tests leave behind', () => {
  let context: StageContext;
  let dispose: () => Promise<void>;
  let source: string;
  let target: string;
  beforeEach(async () => {
    ({ context, dispose } = await testContext('install'));
    context.secrets.set('password', SECRET);
    source = join(context.dir, 'source');
    target = join(context.dir, 'target');
  });
  afterEach(() => dispose());

  it('is kept by what it is', () => {
    expect(artifactKind({ name: 'landing page', contentType: 'image/png' })).to.equal('screenshot');
    expect(artifactKind({ name: 'trace', contentType: 'application/zip' })).to.equal('trace');
    expect(artifactKind({ name: 'console.log', contentType: 'text/plain' })).to.equal('log');
    expect(artifactKind({ name: 'page', contentType: 'text/html' })).to.equal(undefined);
    expect(artifactKind({ name: 'archive', contentType: 'application/zip' })).to.equal(undefined);
  });

  it('shows no secret as a log, given as text or as a file', async () => {
    const log = { name: 'console.log', contentType: 'text/plain' };
    const text = `the password is ${SECRET}\n`;
    expect(await keepRedacted(context, 'a test', { ...log, body: btoa(text) }, target)).to.equal(true);
    expect(await readFile(target, 'utf8')).to.equal('the password is [redacted]\n');
    await writeFile(source, text);
    expect(await keepRedacted(context, 'a test', { ...log, path: source }, target)).to.equal(true);
    expect(await readFile(target, 'utf8')).to.equal('the password is [redacted]\n');
  });

  it('shows no secret as a trace', async () => {
    await writeFile(source, zipSync({ 'trace.trace': Buffer.from(JSON.stringify({ value: SECRET })) }));
    const trace = { name: 'trace', contentType: 'application/zip', path: source };
    expect(await keepRedacted(context, 'a test', trace, target)).to.equal(true);
    const entries = unzipSync(await readFile(target));
    expect(Buffer.from(entries['trace.trace'] ?? []).toString()).to.equal('{"value":"[redacted]"}');
  });

  it('is withheld with a note when it cannot be redacted', async () => {
    await writeFile(source, 'no trace');
    const trace = { name: 'trace', contentType: 'application/zip', path: source };
    expect(await keepRedacted(context, 'signs in', trace, target)).to.equal(false);
    expect(context.stage.record.notes).to.deep.equal([
      'trace of "signs in" withheld: the trace is not a zip file that can be read',
    ]);
    expect(await access(target).catch(() => 'there is none')).to.equal('there is none');
  });

  it('is withheld when it is far too long for a log', async () => {
    await writeFile(source, Buffer.alloc(10 * 1024 * 1024 + 1));
    const log = { name: 'console.log', contentType: 'text/plain', path: source };
    expect(await keepRedacted(context, 'a test', log, target)).to.equal(false);
    expect(context.stage.record.notes).to.deep.equal([
      'console.log of "a test" withheld: it has more than 10 MB',
    ]);
  });
});
