import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CcCiError, createRedactor, InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { unzipSync, zipSync } from 'fflate';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { redactTrace } from './trace.js';

const SECRET = 'gehéim"secret';

describe('redacting a trace', () => {
  let dir: string;
  let source: string;
  let target: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-trace-'));
    source = join(dir, 'source.zip');
    target = join(dir, 'target.zip');
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function redacted(
    entries: Record<string, Buffer>,
    secrets: readonly string[] = [SECRET],
  ): Promise<Record<string, string>> {
    await writeFile(source, zipSync(entries));
    await redactTrace(source, target, createRedactor(secrets));
    const contents = Object.entries(unzipSync(await readFile(target)));
    return Object.fromEntries(
      contents.map(([name, content]) => [name, Buffer.from(content).toString('latin1')]),
    );
  }

  async function refused(work: Promise<unknown>): Promise<CcCiError> {
    const error = await work.then(
      () => expect.fail('it was kept'),
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(CcCiError);
    expect(await access(target).catch(() => 'there is none')).to.equal('there is none');
    return error as CcCiError;
  }

  it('replaces secrets in lines of JSON, in keys, and in numbers made of them', async () => {
    const line = { a: [SECRET, 1, null, true], [SECRET]: { number: 4_711_081_5 }, text: 'the 47110815 code' };
    const { 'x.trace': text = '' } = await redacted(
      { 'x.trace': Buffer.from(`${JSON.stringify(line)}\n{"other": 1}\n`) },
      [SECRET, '47110815'],
    );
    const [first = '', second, last] = text.split('\n');
    expect(JSON.parse(first)).to.deep.equal({
      a: ['[redacted]', 1, null, true],
      '[redacted]': { number: 0 },
      text: 'the [redacted] code',
    });
    expect([second, last]).to.deep.equal(['{"other": 1}', '']);
  });

  it('leaves lines of JSON that are JSON, whatever the secret looks like', async () => {
    const secrets = ['abcdef\\', '"],"begins', 'u0041{}\n\tx', '\\"\\"\\"'];
    const lines = secrets.map((secret) =>
      JSON.stringify({ a: [secret, `"${secret}"`, JSON.stringify({ secret })] }),
    );
    const { 'x.network': text = '' } = await redacted(
      { 'x.network': Buffer.from(lines.join('\n')) },
      secrets,
    );
    for (const line of text.split('\n')) {
      const { a } = JSON.parse(line);
      expect(a).to.deep.equal(['[redacted]', '"[redacted]"', '{"secret":"[redacted]"}']);
    }
  });

  it('replaces secrets in text, and empties what holds one and is none', async () => {
    const entries = {
      'resources/1.html': Buffer.from(`<p>${SECRET}</p>`),
      'resources/2.dat': Buffer.from([0xff, 0xd8, 0x00, 0x10]),
      'resources/3.jpeg': Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.from(SECRET)]),
      'resources/4.html': Buffer.from(`<p>${SECRET}</p>`, 'latin1'),
      'resources/5.txt': Buffer.from(`say ${SECRET}`, 'utf16le'),
      'resources/6.css': Buffer.from('p { }'),
    };
    expect(await redacted(entries)).to.deep.equal({
      'resources/1.html': '<p>[redacted]</p>',
      'resources/2.dat': '\xff\xd8\x00\x10',
      'resources/3.jpeg': '',
      'resources/4.html': '',
      'resources/5.txt': '',
      'resources/6.css': 'p { }',
    });
  });

  it('publishes nothing when a secret is left', async () => {
    const inName = await refused(redacted({ 'resources/long-secret.txt': Buffer.from('') }, ['long-secret']));
    expect(inName.message).to.equal('a secret is still in the redacted trace');
    const inJson = await refused(redacted({ 'x.trace': Buffer.from('{"a":1,"b":2}') }, ['1,"b":2']));
    expect(inJson.message).to.equal('a secret is still in the redacted trace');
  });

  it('refuses what is no trace, or too large', async () => {
    await writeFile(source, 'no zip');
    const none = await refused(redactTrace(source, target, createRedactor([SECRET])));
    expect(none).to.be.instanceOf(InputError);
    expect(none.message).to.equal('the trace is not a zip file that can be read');
    // 120 MB in a small file.
    const zeros = Buffer.alloc(60 * 1024 * 1024);
    const large = await refused(redacted({ 'resources/1': zeros, 'resources/2': zeros }));
    expect(large).to.be.instanceOf(InputError);
    expect(large.message).to.equal('the trace has 120 MB or more, and at most 100 are kept');
  });
});
