import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError, run } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { makeWildcardCertificate, type WildcardCertificate } from './certificate.js';

describe('the wildcard certificate', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-certificate-'));
  });
  afterEach(() => rm(dir, { recursive: true }));
  const read = async (file: string) => new X509Certificate(await readFile(file));
  const daysLeft = (certificate: X509Certificate) =>
    (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;

  it('holds for the zone and every name right below it, for 30 days, and its authority vouches for it', async () => {
    const { caFile, certFile, keyFile } = await makeWildcardCertificate(dir, 'ci.example.test');
    const certificate = await read(certFile);
    expect(certificate.subjectAltName).to.equal('DNS:ci.example.test, DNS:*.ci.example.test');
    expect(certificate.checkHost('app.ci.example.test')).to.be.a('string');
    expect(certificate.checkHost('deep.app.ci.example.test')).to.equal(undefined);
    expect(certificate.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.1']);
    expect(daysLeft(certificate)).to.be.within(29.9, 30);
    await run('openssl', ['verify', '-CAfile', caFile, '-purpose', 'sslserver', certFile]);
    expect((await stat(keyFile)).mode & 0o777).to.equal(0o600);
  });

  it('leaves no key behind that could sign another', async () => {
    await makeWildcardCertificate(dir, 'ci.example.test');
    expect((await readdir(dir)).sort()).to.deep.equal(['ca.pem', 'cert.pem', 'key.pem']);
  });

  const damages: [what: string, damage: (files: WildcardCertificate) => Promise<void>][] = [
    ['the key is gone', ({ keyFile }) => rm(keyFile)],
    [
      'the certificate is cut short',
      ({ certFile }) => writeFile(certFile, '-----BEGIN CERTIFICATE-----\nMII'),
    ],
    [
      'the authority is another one',
      async ({ caFile, certFile }) => writeFile(caFile, await readFile(certFile)),
    ],
  ];
  it('is kept while it is good', async () => {
    const files = await makeWildcardCertificate(dir, 'ci.example.test');
    const before = await readFile(files.certFile, 'utf8');
    expect(await makeWildcardCertificate(dir, 'ci.example.test')).to.deep.equal(files);
    expect(await readFile(files.certFile, 'utf8')).to.equal(before);
  });
  for (const [what, damage] of damages) {
    it(`is made anew when ${what}`, async () => {
      const files = await makeWildcardCertificate(dir, 'ci.example.test');
      const before = (await read(files.certFile)).serialNumber;
      await damage(files);
      await makeWildcardCertificate(dir, 'ci.example.test');
      expect((await read(files.certFile)).serialNumber).to.not.equal(before);
      await run('openssl', ['verify', '-CAfile', files.caFile, files.certFile]);
    });
  }

  it('is made anew when the zone is another, or when less than two days are left', async () => {
    const { certFile, caFile, keyFile } = await makeWildcardCertificate(dir, 'one.test');
    await makeWildcardCertificate(dir, 'two.test');
    expect((await read(certFile)).checkHost('a.two.test')).to.be.a('string');
    // One that signs itself is its own authority: only its age is wrong.
    const names = ['-subj', '/CN=two.test', '-addext', 'subjectAltName=DNS:two.test,DNS:*.two.test'];
    await run('openssl', ['req', '-x509', '-key', keyFile, ...names, '-days', '1', '-out', certFile]);
    await writeFile(caFile, await readFile(certFile));
    await makeWildcardCertificate(dir, 'two.test');
    expect(daysLeft(await read(certFile))).to.be.greaterThan(29);
  });

  it('can be made for a zone whose name is longer than a certificate subject may be', async () => {
    const zone = `${'long-'.repeat(8)}a.${'b'.repeat(40)}.test`;
    const { certFile } = await makeWildcardCertificate(dir, zone);
    expect((await read(certFile)).checkHost(`app.${zone}`)).to.be.a('string');
  });

  for (const zone of ['', 'UPPER.test', 'a..b', '*.ci.test', 'ci.test\nCN = x', '-ci.test']) {
    it(`is refused for ${JSON.stringify(zone)}, which is no zone`, async () => {
      const error = await makeWildcardCertificate(dir, zone).catch((thrown) => thrown);
      expect(error).to.be.instanceOf(InputError);
      expect(await readdir(dir)).to.deep.equal([]);
    });
  }
});
