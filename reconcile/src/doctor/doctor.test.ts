import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { definePart, type Inspection } from '../part.js';
import { makeCertificates, type TestCertificate } from '../testing/certificates.js';
import { examineCertificateFiles } from './certificate.js';
import { examineHost } from './index.js';
import { examineParts } from './parts.js';
import { examineUnits } from './units.js';

const ZONE = 'ci.example.test';

describe("a look at a host's certificate", () => {
  let dir: string;
  let sound: TestCertificate;
  let ending: TestCertificate;
  let expired: TestCertificate;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-doctor-'));
    const maker = await makeCertificates(dir);
    const names = [ZONE, `*.${ZONE}`];
    sound = await maker.issue('sound', names);
    ending = await maker.issue('ending', names, { from: -80, to: 10 });
    expired = await maker.issue('expired', names, { from: -90, to: -1 });
  });
  after(() => rm(dir, { recursive: true }));

  const look = ({ certificateFile, keyFile }: TestCertificate) =>
    examineCertificateFiles(ZONE, {
      ...loadConfig(['host'], {}).host,
      certificateFile,
      certificateKeyFile: keyFile,
    });

  it('tells until when it is valid', async () => {
    const { state, said } = await look(sound);
    expect(state).to.equal('ok');
    expect(said).to.match(
      /^for ci\.example\.test, \*\.ci\.example\.test, valid until \d{4}-\d\d-\d\d \((89|90) days\)$/,
    );
  });

  it('warns two weeks before its end', async () => {
    const { state, todo } = await look(ending);
    expect(state).to.equal('warn');
    expect(todo).to.match(/operator's job: renew it/);
  });

  it('fails when it has ended, is not there, or is not its key’s', async () => {
    expect((await look(expired)).said).to.match(/has expired on/);
    expect((await look({ ...sound, keyFile: ending.keyFile })).said).to.match(/the key belongs to another/);
    const missing = await look({ ...sound, certificateFile: join(dir, 'nowhere') });
    expect(missing.state).to.equal('fail');
    expect(missing.todo).to.match(/^the operator's job: put a certificate/);
  });
});

describe('a look at the parts of a host', () => {
  const nothing: Inspection<string> = { differences: [], obstacles: [], notes: [] };
  const part = (name: string, found: Partial<Inspection<string>> | Error, needs: string[] = []) =>
    definePart<string>({
      name,
      needs,
      inspect: async () => {
        if (found instanceof Error) throw found;
        return { ...nothing, ...found };
      },
      act: async () => expect.fail('it was changed'),
    });

  it('says of each how it is, whose job what is wrong is, and changes nothing', async () => {
    const parts = [
      part('right', { notes: ['a swarm of one'] }),
      part('wrong', { differences: [{ found: 'no network', plan: 'make it', action: 'make' }] }),
      part('after', {}, ['wrong']),
      part('stuck', { obstacles: [{ missing: 'no token', whose: 'operator', todo: 'give one' }] }),
      part('broken', new Error('no answer')),
      part('certificate', {}),
    ];
    const found = await examineParts(() => parts, { isRoot: true });
    expect(found.map(({ part, state, said, todo }) => [part, state, said, todo])).to.deep.equal([
      ['part right', 'ok', 'a swarm of one', undefined],
      [
        'part wrong',
        'warn',
        'no network',
        'cc-ci reconcile wrong, or wait: its unit does it at the next round',
      ],
      ['part after', 'unknown', 'is looked at after wrong', undefined],
      ['part stuck', 'fail', 'no token', "the operator's job: give one"],
      ['part broken', 'fail', 'no answer', 'cc-ci reconcile broken tells more'],
    ]);
  });

  it('is not begun by who cannot look at all of it', async () => {
    const [found] = await examineParts(() => expect.fail('it was begun'), { isRoot: false });
    expect(found).to.deep.include({ state: 'unknown', part: 'parts' });
  });

  it('ends when one of them hangs', async () => {
    const hanging = { name: 'hanging', needs: [], look: () => new Promise<never>(() => {}) };
    const [found] = await examineParts(() => [hanging], { isRoot: true, timeoutMs: 20 });
    expect(found?.state).to.equal('unknown');
    expect(found?.said).to.match(/took longer/);
  });
});

describe('a look at the units of a host', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-units-'));
  });
  after(() => rm(dir, { recursive: true }));

  /** systemctl as systemd 252 answers. */
  async function look(answer: string, exitCode = 0) {
    const file = join(dir, 'systemctl');
    await writeFile(join(dir, 'answer'), answer);
    await writeFile(file, `#!/bin/sh\necho "$@" > ${dir}/asked\n/bin/cat ${dir}/answer\nexit ${exitCode}\n`);
    await chmod(file, 0o755);
    return examineUnits({ PATH: dir }, true);
  }
  const failed = (...names: string[]) =>
    JSON.stringify(
      names.map((unit) => ({ unit, load: 'loaded', active: 'failed', sub: 'failed', description: '' })),
    );

  it('is well when none has failed', async () => {
    expect(await look('[]')).to.deep.equal([{ state: 'ok', part: 'units', said: 'none of ours has failed' }]);
  });

  it('tells ours from others, and where to read why', async () => {
    const [ours, others] = await look(
      failed('cc-ci-reconcile-traefik.service', 'drone-server.service', 'fwupd.service'),
    );
    expect(ours).to.deep.equal({
      state: 'fail',
      part: 'units',
      said: 'failed: cc-ci-reconcile-traefik.service, drone-server.service',
      todo: 'see why: journalctl -e -u cc-ci-reconcile-traefik.service -u drone-server.service',
    });
    expect(others).to.deep.include({ state: 'warn', said: 'failed: fwupd.service' });
  });

  it('judges nothing where systemd does not answer, or is not there', async () => {
    expect((await look('Failed to connect to bus', 1))[0]?.state).to.equal('unknown');
    expect((await look('no JSON'))[0]?.state).to.equal('unknown');
    expect(await examineUnits({}, false)).to.deep.equal([
      { state: 'unknown', part: 'units', said: 'systemd does not run this machine' },
    ]);
  });
});

describe('a look at a host', () => {
  it('says so where there is none', async () => {
    const config = loadConfig(['runner', 'host'], { CC_CI_HOST_DIR: '/nowhere/cc-ci-host' });
    const [found, ...more] = await examineHost({ config, parts: () => expect.fail('it was begun') });
    expect(more).to.deep.equal([]);
    expect(found).to.deep.include({ state: 'unknown', part: 'host' });
  });
});
