import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { type CertificateMaker, makeCertificates, type TestCertificate } from '../testing/certificates.js';
import { certificatePart } from './certificate.js';

const ZONE = 'ci.example.test';
const BOTH = [ZONE, `*.${ZONE}`];

describe('the part certificate', () => {
  let dir: string;
  let maker: CertificateMaker;
  let good: TestCertificate;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-certificates-'));
    maker = await makeCertificates(dir);
    good = await maker.issue('good', BOTH);
  });
  after(() => rm(dir, { recursive: true }));

  async function obstaclesOf(files: TestCertificate, zone = ZONE): Promise<string[]> {
    const { obstacles, changes } = await certificatePart({ ...files, zone }).look();
    expect(changes).to.deep.equal([]);
    for (const { whose, todo } of obstacles) {
      expect(whose).to.equal('operator');
      expect(todo).to.include(files.certificateFile).and.include(files.keyFile);
    }
    return obstacles.map(({ missing }) => missing.replace(`${files.certificateFile}: `, ''));
  }
  async function written(name: string, certificate: string, key?: string): Promise<TestCertificate> {
    const certificateFile = join(dir, `${name}.written.pem`);
    const keyFile = key === undefined ? good.keyFile : join(dir, `${name}.written.key`);
    await writeFile(certificateFile, certificate);
    if (key !== undefined) await writeFile(keyFile, key);
    return { certificateFile, keyFile };
  }

  it('is right with a chain that openssl accepts, too', async () => {
    await run('openssl', [
      'verify',
      '-CAfile',
      maker.authorityFile,
      '-untrusted',
      good.certificateFile,
      good.certificateFile,
    ]);
    expect(await obstaclesOf(good)).to.deep.equal([]);
    const { notes } = await certificatePart({ ...good, zone: ZONE }).look();
    expect(notes.join()).to.match(
      /^certificate for ci.example.test, \*\.ci\.example\.test, valid until \d{4}-\d\d-\d\d$/,
    );
  });

  it('says when it ends soon, and is right until then', async () => {
    const files = await maker.issue('soon', BOTH, { from: -80, to: 5.5 });
    const { notes, obstacles } = await certificatePart({ ...files, zone: ZONE }).look();
    expect(obstacles).to.deep.equal([]);
    expect(notes.join()).to.include('ONLY 5 DAYS LEFT, renew it');
    const later = await certificatePart({
      ...files,
      zone: ZONE,
      now: () => new Date(Date.now() + 6 * 86_400_000),
    }).look();
    expect(later.obstacles[0]?.missing).to.include('the certificate has expired on');
  });

  it('is missing: certificate, key, both', async () => {
    const nowhere = { certificateFile: join(dir, 'no.pem'), keyFile: join(dir, 'no.key') };
    expect(await obstaclesOf(nowhere)).to.deep.equal([
      `there is no file ${nowhere.certificateFile}`,
      `there is no file ${nowhere.keyFile}`,
    ]);
    expect(await obstaclesOf({ ...good, keyFile: nowhere.keyFile })).to.have.length(1);
    expect((await obstaclesOf({ ...good, certificateFile: dir }))[0]).to.match(/cannot be read: EISDIR/);
  });

  it('has expired, or is not valid yet', async () => {
    const expired = await maker.issue('expired', BOTH, { from: -90, to: -1 });
    const early = await maker.issue('early', BOTH, { from: 2, to: 90 });
    expect((await obstaclesOf(expired)).join()).to.match(/^the certificate has expired on \S+Z$/);
    expect((await obstaclesOf(early)).join()).to.match(/^the certificate is not valid before \S+Z$/);
  });

  it('has a key of another certificate, one with a passphrase, or none to be read', async () => {
    const other = await maker.issue('other', BOTH);
    expect(await obstaclesOf({ ...good, keyFile: other.keyFile })).to.deep.equal([
      'the key belongs to another certificate',
    ]);
    const locked = join(dir, 'locked.key');
    await run('openssl', ['pkcs8', '-topk8', '-in', good.keyFile, '-out', locked, '-passout', 'pass:1234']);
    expect((await obstaclesOf({ ...good, keyFile: locked })).join()).to.include('has a passphrase');
    const chain = await readFile(good.certificateFile, 'utf8');
    expect((await obstaclesOf(await written('nokey', chain, 'x'))).join()).to.include(
      'the key cannot be read',
    );
  });

  const names: [names: string[], complaint: string][] = [
    [[ZONE], `it is for ${ZONE}, not for *.${ZONE}`],
    [[`*.${ZONE}`], `it is for *.${ZONE}, not for ${ZONE}`],
    [['*.example.test'], `it is for *.example.test, not for *.${ZONE}`],
    [[`a.${ZONE}`, ZONE], `it is for a.${ZONE}, ${ZONE}, not for *.${ZONE}`],
    [['other.test', '*.other.test'], `it is for other.test, *.other.test, not for ${ZONE} and *.${ZONE}`],
    [[], `it is for no DNS name, not for ${ZONE} and *.${ZONE}`],
  ];
  for (const [index, [given, complaint]] of names.entries()) {
    it(`is for other names: ${given.join(', ') || 'none'}`, async () => {
      expect(await obstaclesOf(await maker.issue(`names-${index}`, given))).to.deep.equal([complaint]);
    });
  }

  it('is in no order, cut short, empty, or something else', async () => {
    const other = await maker.issue('stranger', BOTH);
    const [leaf = '', middle = ''] = (await readFile(good.certificateFile, 'utf8')).split(
      /(?<=END CERTIFICATE-----\n)/,
    );
    const [stranger = ''] = (await readFile(other.certificateFile, 'utf8')).split(
      /(?<=END CERTIFICATE-----\n)/,
    );
    const key = await readFile(good.keyFile, 'utf8');
    const complaints = async (name: string, text: string) =>
      (await obstaclesOf(await written(name, text))).join('; ');
    expect(await complaints('alone', leaf), 'without its chain: some authorities sign directly').to.equal('');
    expect(await complaints('turned', middle + leaf))
      .to.include('number 2 of the chain has not signed')
      .and.include('not for ci.example.test');
    expect(await complaints('strange', leaf + stranger)).to.equal(
      'certificate number 2 of the chain has not signed the one before it',
    );
    expect(await complaints('cut', leaf + middle.slice(0, 200))).to.equal(
      'its last certificate is cut short',
    );
    expect(await complaints('damaged', leaf.replace(/MII/, 'MIJ'))).to.equal(
      'its certificate number 1 cannot be read',
    );
    expect(await complaints('empty', '')).to.match(/^it holds no certificate/);
    expect(await complaints('swapped', key)).to.match(/^it holds a (ec )?private key beside certificates$/);
  });

  it('says everything that is wrong at once, and shows nothing of the key', async () => {
    const bad = await maker.issue('bad', ['other.test'], { from: -9, to: -1 });
    const complaints = await obstaclesOf({ ...bad, keyFile: good.keyFile });
    expect(complaints).to.have.length(3);
    const key = (await readFile(good.keyFile, 'utf8')).split('\n')[1] ?? 'x';
    expect(complaints.join()).to.not.include(key);
  });
});
