import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeError } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { readGiven } from './given.js';
import { readEncrypted } from './metadata.js';
import { findPlace } from './place.js';

const CANARY = 'canary-4711-0123456789';
const said = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return describeError(error);
  }
  return expect.fail('it was taken');
};

describe('values that an operator gives', () => {
  it('are read as they are written, digits too', () => {
    const values = readGiven(
      'forge-token: 00123456789012345678901234567890\nforge-password: "correct: horse # 1"\n',
      'x',
    );
    expect(Object.fromEntries(values)).to.deep.equal({
      'forge-token': '00123456789012345678901234567890',
      'forge-password': 'correct: horse # 1',
    });
    expect(readGiven('', 'x').size).to.equal(0);
    expect(readGiven(JSON.stringify({ 'hook-secret': CANARY }), 'x').get('hook-secret')).to.equal(CANARY);
  });

  for (const [what, text] of [
    ['names that are none', `forge-tokken: ${CANARY}`],
    ['a list', `- ${CANARY}`],
    ['one value', CANARY],
    ['text that is not YAML', `"forge-token: ${CANARY}\n\t{`],
    ['a value that cannot be it', `forge-token: ${CANARY} and more`],
    ['a value of several parts', `forge-token: { a: ${CANARY} }`],
    ['the same name twice', `forge-token: ${CANARY}\nforge-token: ${CANARY}`],
  ] as const) {
    it(`are refused as ${what}, and not quoted`, () => {
      expect(said(() => readGiven(text, 'values.yaml')))
        .to.match(/^values\.yaml/)
        .and.not.include(CANARY);
    });
  }
});

describe('a file of secrets, looked at without a key', () => {
  const sops = (more: string) => `sops:\n    mac: ENC[x]\n${more}`;

  it('tells its names, what is in clear, and who can decrypt it', () => {
    const text = `a: ENC[AES256_GCM,data:95g=,iv:M=,tag:/V=,type:str]\nb: ${CANARY}\nc: ENC[${CANARY}\n${sops(
      '    age:\n      - recipient: age1b\n        enc: x\n      - recipient: age1a\n        enc: y\n    pgp:\n      - fp: F00\n        enc: z\n',
    )}    kms:\n      - arn: arn:aws\n        enc: z\n        created_at: "2026"\n`;
    expect(readEncrypted('f', text)).to.deep.equal({
      names: ['a', 'b', 'c'],
      clear: ['b', 'c'],
      recipients: ['F00', 'age1a', 'age1b', '{"arn":"arn:aws"}'],
    });
  });

  it('is looked through by its groups, where it has some', () => {
    const text = sops(
      '    key_groups:\n      - age: [{ recipient: age1a, enc: x }]\n      - age: [{ recipient: age1b, enc: x }]\n',
    );
    expect(readEncrypted('f', text).recipients).to.deep.equal(['age1a', 'age1b']);
  });

  for (const text of [
    `forge-token: ${CANARY}\n`,
    `"${CANARY}\n\t{`,
    `- ${CANARY}`,
    `forge-token: x\nsops: ${CANARY}\n`,
    '',
  ]) {
    it(`is refused when it is none: ${JSON.stringify(text.replaceAll(CANARY, 'value'))}`, () => {
      expect(said(() => readEncrypted('hosts/a/secrets.yaml', text)))
        .to.match(/^hosts\/a\/secrets\.yaml is not/)
        .and.not.include(CANARY);
    });
  }
});

describe('where the secrets of a host are', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'cc-ci-place-'));
    await writeFile(join(root, '.sops.yaml'), 'creation_rules: []\n');
    await mkdir(join(root, 'hosts', 'one'), { recursive: true });
  });
  afterEach(() => rm(root, { recursive: true }));
  const refused = (work: Promise<unknown>) => work.then(() => expect.fail('it was found'), describeError);

  it('is found from anywhere in the repository', async () => {
    expect(await findPlace(join(root, 'hosts', 'one'))).to.deep.equal({
      root,
      file: 'hosts/one/secrets.yaml',
    });
    expect(await findPlace(join(root, 'hosts'), { file: '../secrets/x.yaml' })).to.deep.equal({
      root,
      file: 'secrets/x.yaml',
    });
  });

  it('has to be said where there are several', async () => {
    await mkdir(join(root, 'hosts', 'two'));
    expect(await refused(findPlace(root))).to.equal('which host? (name one with --host: one, two)');
    expect((await findPlace(root, { host: 'two' })).file).to.equal('hosts/two/secrets.yaml');
  });

  it('is not outside, nor that of a host that there is not', async () => {
    expect(await refused(findPlace(root, { host: '../one' }))).to.match(/there is no host \.\.\/one/);
    expect(await refused(findPlace(root, { file: '../x.yaml' }))).to.match(/not below/);
    expect(await refused(findPlace(root, { file: 'x', host: 'one' }))).to.match(/leave one out/);
    expect(await refused(findPlace(tmpdir()))).to.match(/no \.sops\.yaml/);
  });
});
