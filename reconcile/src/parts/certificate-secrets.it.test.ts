import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, listSecrets, removeSecret, run } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import type { Part } from '../part.js';
import { reconcile } from '../reconcile.js';
import { type BlankEngine, canStartBlankEngine, startBlankEngine } from '../testing/blank-engine.js';
import { type CertificateMaker, makeCertificates, type TestCertificate } from '../testing/certificates.js';
import { certificatePart } from './certificate.js';
import { certificateSecrets, certificateSecretsPart, certificateVersion } from './certificate-secrets.js';
import { swarmPart } from './swarm.js';

const ZONE = 'ci.example.test';
const STACK = 'traefik_ci_example_test';

describe('the part certificate-secrets', () => {
  let engine: BlankEngine;
  let dir: string;
  let maker: CertificateMaker;
  let live: TestCertificate;
  let parts: Part[];
  before(async function () {
    if (!(await canStartBlankEngine())) return this.skip();
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-certificate-secrets-'));
    maker = await makeCertificates(dir);
    live = { certificateFile: join(dir, 'live.pem'), keyFile: join(dir, 'live.key') };
    engine = await startBlankEngine();
    parts = [
      swarmPart(engine.docker, { advertiseAddress: '127.0.0.1' }),
      certificatePart({ ...live, zone: ZONE }),
      certificateSecretsPart(engine.docker, { ...live, zone: ZONE, stack: STACK }),
    ];
    await renew('first');
  });
  after(async () => {
    await engine?.stop();
    if (dir) await rm(dir, { recursive: true });
  });

  async function renew(name: string): Promise<void> {
    const files = await maker.issue(name, [ZONE, `*.${ZONE}`]);
    await copyFile(files.certificateFile, live.certificateFile);
    await copyFile(files.keyFile, live.keyFile);
  }
  const secrets = () => listSecrets(engine.docker, STACK);
  const names = async () => (await secrets()).map(({ name }) => name).sort();
  const changesOf = async () => (await reconcile(parts, ['certificate-secrets'])).parts[2]?.changes.length;

  it('are made once, both of one version, and heal one by one', async () => {
    expect(await changesOf()).to.equal(2);
    const made = await names();
    const version = /_(v[0-9a-f]{8})$/.exec(made[0] ?? '')?.[1];
    expect(made).to.deep.equal([`${STACK}_ssl_cert_${version}`, `${STACK}_ssl_key_${version}`]);
    expect(await changesOf()).to.equal(0);

    const [first, second] = await secrets();
    await removeSecret(engine.docker, first?.id ?? '');
    expect(await changesOf()).to.equal(1);
    expect(await names()).to.deep.equal(made);
    expect((await secrets()).map(({ id }) => id)).to.include(second?.id);
  });

  it('are of a new version when the certificate is renewed, beside the old', async () => {
    const old = await names();
    await renew('second');
    expect(await changesOf()).to.equal(2);
    expect(await names())
      .to.have.length(4)
      .and.include.members(old);
    expect(await changesOf()).to.equal(0);
  });

  it('wait for the certificate, and touch nothing, while it is half renewed', async () => {
    const before = await names();
    const files = await maker.issue('third', [ZONE, `*.${ZONE}`]);
    await copyFile(files.certificateFile, live.certificateFile);
    const report = await reconcile(parts, ['certificate-secrets']);
    expect(report.parts.map(({ state }) => state)).to.deep.equal(['converged', 'blocked', 'blocked']);
    // Also when it changes right after it was looked at.
    const late = await parts[2]?.look();
    expect(late?.obstacles[0]?.missing).to.include('the key belongs to another certificate');
    expect(await names()).to.deep.equal(before);
    await copyFile(files.keyFile, live.keyFile);
    expect(await changesOf()).to.equal(2);
  });

  it('keep their version however the files are written', async () => {
    const [chain, key] = await texts();
    const other = join(dir, 'traditional.key');
    await run('openssl', ['ec', '-in', live.keyFile, '-out', other]);
    const traditional = await readFile(other, 'utf8');
    expect(traditional).to.not.equal(key);
    expect(certificateVersion(`subject=x\n${chain}\n\n`, traditional)).to.equal(
      certificateVersion(chain, key),
    );
    await writeFile(live.keyFile, traditional);
    expect(await changesOf()).to.equal(0);
  });

  it('show nothing of the key in what is reported', async () => {
    await renew('fourth');
    const report = JSON.stringify(await reconcile(parts, ['certificate-secrets']));
    expect(report).to.include('ssl_key_v');
    expect(report).to.not.include('PRIVATE KEY');
  });

  it('hold the very bytes of the files', async () => {
    const image = join(dir, 'image.tar');
    await run('tar', ['--create', '--dereference', '--file', image, '--directory', '/', 'bin/busybox']);
    await engine.client('import', image, 'busybox');
    const [{ name = '' } = {}, { name: keyName = '' } = {}] = certificateSecrets(STACK, ...(await texts()));
    const ended = new AbortController();
    const wanted = { type: ['container'], event: ['die'] };
    const deaths = events(engine.docker, wanted, ended.signal, Date.now())[Symbol.asyncIterator]();
    const died = deaths.next();
    await engine.client(
      ...[
        'service',
        'create',
        '--detach',
        '--no-resolve-image',
        '--restart-condition',
        'none',
        '--name',
        'reader',
      ],
      ...['--secret', `source=${name},target=cert`, '--secret', `source=${keyName},target=key`, 'busybox'],
      ...['/bin/busybox', 'cat', '/run/secrets/cert', '/run/secrets/key'],
    );
    await died;
    ended.abort();
    // Not the service's: for a moment it knows nothing of the task yet.
    const container = await engine.client('ps', '--all', '--quiet', '--filter', 'name=reader.');
    const printed = await engine.client('logs', container);
    expect(printed).to.equal((await texts()).join('').trim());
  });

  it('have names that fit the longest stack', async () => {
    const made = certificateSecrets('s'.repeat(45), ...(await texts()));
    expect(Math.max(...made.map(({ name }) => name.length))).to.equal(64);
  });

  async function texts(): Promise<[chain: string, key: string]> {
    return [await readFile(live.certificateFile, 'utf8'), await readFile(live.keyFile, 'utf8')];
  }
});
