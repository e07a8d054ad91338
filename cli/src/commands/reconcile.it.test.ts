import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '@cc-ci/core';
import {
  type BlankEngine,
  canStartBlankEngine,
  makeCertificates,
  startBlankEngine,
  type TestCertificate,
} from '@cc-ci/reconcile/testing';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

const CC_CI = fileURLToPath(new URL('../../bin/cc-ci.js', import.meta.url));
const ZONE = 'ci.example.test';

describe('cc-ci reconcile', () => {
  let engine: BlankEngine;
  let dir: string;
  let certificate: TestCertificate;
  before(async function () {
    if (!(await canStartBlankEngine())) return this.skip();
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-reconcile-'));
    engine = await startBlankEngine();
    certificate = await (await makeCertificates(dir)).issue('good', [ZONE, `*.${ZONE}`]);
  });
  after(async () => {
    await engine?.stop();
    if (dir) await rm(dir, { recursive: true });
  });

  async function ccCi(args: string[], settings: Record<string, string> = {}) {
    const env = {
      PATH: process.env.PATH,
      DOCKER_HOST: engine.host,
      CC_CI_HOST_DIR: join(dir, 'host'),
      CC_CI_ADVERTISE_ADDRESS: '127.0.0.1',
      CC_CI_ZONE: ZONE,
      CC_CI_CERTS_DIR: join(dir, 'nothing'),
      ...settings,
    };
    const options = { env, okCodes: [0, 1, 2, 3, 4], timeoutMs: 30_000 };
    return run(process.execPath, [CC_CI, 'reconcile', ...args], options);
  }
  const withCertificate = () => ({
    CC_CI_CERTIFICATE_FILE: certificate.certificateFile,
    CC_CI_CERTIFICATE_KEY_FILE: certificate.keyFile,
  });

  it('says what it would do, changed (3), right (0), in words', async () => {
    const plan = await ccCi(['network', '--dry-run']);
    expect(plan).to.include({ exitCode: 3, stderr: '' });
    expect(plan.stdout).to.equal(
      [
        'swarm        would be changed',
        '    the engine is in no swarm: begin one at 127.0.0.1',
        'network      unknown',
        '    is looked at after swarm',
        '',
      ].join('\n'),
    );
    const first = await ccCi(['network']);
    expect(first.exitCode).to.equal(3);
    expect(first.stderr).to.equal(
      'swarm: the engine is in no swarm: begin one at 127.0.0.1\nnetwork: there is no overlay network proxy: make it\n',
    );
    const second = await ccCi(['network']);
    expect(second).to.include({ exitCode: 0, stderr: '' });
    expect(second.stdout.match(/^\w+ +converged$/gm)).to.have.length(2);
  });

  it('says that it is blocked (4), and does the rest all the same', async () => {
    await ccCi(['network']);
    await engine.client('network', 'rm', 'proxy');
    const { exitCode, stdout } = await ccCi(['network', 'certificate']);
    expect(exitCode).to.equal(4);
    expect(stdout)
      .to.match(/^network +changed$/m)
      .and.match(/^certificate +blocked$/m);
    expect(stdout).to.include(`there is no file ${join(dir, 'nothing', 'fullchain.pem')}`);
    expect(stdout).to.include(
      "the operator's job: put a certificate for ci.example.test and *.ci.example.test",
    );
    expect((await ccCi(['network', 'certificate'], withCertificate())).exitCode).to.equal(0);
  });

  it('tells machines the same', async () => {
    const { exitCode, stdout } = await ccCi(['certificate', '--json'], withCertificate());
    expect(exitCode).to.equal(0);
    const report = JSON.parse(stdout) as { parts: { notes: string[] }[] };
    expect(report).to.deep.include({ dryRun: false, state: 'converged' });
    expect(report.parts).to.have.length(1);
    expect(report.parts[0]).to.deep.include({
      part: 'certificate',
      state: 'converged',
      changes: [],
      obstacles: [],
    });
    expect(report.parts[0]?.notes[0]).to.include('*.ci.example.test');
  });

  it('names the parts there are, and what Docker says when it fails (2)', async () => {
    const unknown = await ccCi(['traffic']);
    expect(unknown).to.include({ exitCode: 2, stdout: '' });
    expect(unknown.stderr).to.include('there is no part traffic').and.include('swarm, network');
    const down = await ccCi(['all'], { DOCKER_HOST: 'unix:///nowhere/docker.sock', ...withCertificate() });
    expect(down.exitCode).to.equal(2);
    expect(down.stdout).to.include('the Docker engine does not answer (ENOENT)');
    expect(down.stdout)
      .to.match(/^network +blocked$/m)
      .and.match(/^certificate +converged$/m);
    const wrong = await ccCi(['swarm'], { CC_CI_ADVERTISE_ADDRESS: 'eth0' });
    expect(wrong).to.include({ exitCode: 2 });
    expect(wrong.stderr).to.include('expected an IP address');
  });

  it('keeps no file but its lock', async () => {
    await ccCi(['network', 'certificate']);
    const { stdout } = await run('find', [join(dir, 'host'), '-type', 'f']);
    expect(stdout.trim()).to.equal(join(dir, 'host', 'reconcile.lock'));
  });
});
