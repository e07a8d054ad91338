import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { ABRA_EXECUTABLE, callForge, makeWildcardCertificate } from '@cc-ci/sandbox';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type WatchedForge, watchForge } from '../testing/watched-forge.js';
import { doctorLines, examineAll } from './doctor.js';

const ZONE = 'ci.test';

// Needs Docker, and asks it only.
describe('cc-ci doctor', () => {
  let forge: WatchedForge;
  let edge: Server;
  let env: NodeJS.ProcessEnv;
  beforeEach(async () => {
    forge = await watchForge();
    const { certFile, keyFile, caFile } = await makeWildcardCertificate(join(forge.dir, 'certificate'), ZONE);
    edge = createServer({ cert: await readFile(certFile), key: await readFile(keyFile) });
    edge.listen(0, '127.0.0.1');
    await once(edge, 'listening');
    env = {
      ...forge.env,
      CC_CI_ZONE: ZONE,
      CC_CI_EDGE_ADDRESS: `127.0.0.1:${(edge.address() as AddressInfo).port}`,
      CC_CI_EDGE_CA_FILE: caFile,
      CC_CI_ABRA: ABRA_EXECUTABLE,
      CC_CI_HOST_DIR: join(forge.dir, 'no-host'),
    };
  });
  afterEach(async () => {
    edge.close();
    await forge.close();
  });

  const examine = async (change: NodeJS.ProcessEnv = {}) => {
    const diagnoses = await examineAll({ ...env, ...change });
    const of = (part: string) => diagnoses.find((it) => it.part === part);
    const text = doctorLines(diagnoses).join('\n');
    expect(text).to.not.include(forge.org.bot.token).and.not.include(forge.hookSecret);
    for (const { state, todo, part } of diagnoses)
      if (state !== 'unknown') expect(todo === undefined, part).to.equal(state === 'ok');
    return { diagnoses, of, text };
  };

  it('finds all well, save for what the bot may not and what does not run', async () => {
    const { diagnoses, of } = await examine();
    // What Docker Hub says is not ours to foresee.
    const ours = diagnoses.filter(({ part }) => part !== 'registry');
    const states = Object.fromEntries(ours.map(({ part, state }) => [part, state]));
    expect(states).to.deep.equal({
      settings: 'ok',
      forge: 'ok',
      membership: 'ok',
      repositories: 'ok',
      'commit statuses': 'warn',
      webhook: 'ok',
      database: 'ok',
      bridge: 'warn',
      engine: 'ok',
      docker: 'ok',
      network: 'ok',
      disk: 'ok',
      abra: 'ok',
      dns: 'ok',
      edge: 'ok',
      host: 'unknown',
    });
    expect(of('forge')?.said).to.include("it is cc-ci-bot's");
    expect(of('repositories')?.said).to.equal('the bot can read 1 of coop-cloud');
    expect(of('commit statuses')?.said).to.equal('the bot may not set them anywhere; comments do without');
    expect(of('abra')?.said).to.match(/version 0\.0\.0-standin$/);
  });

  it('makes nothing that was not there: it may be asked by another user than the bridge is', async () => {
    await examine();
    const failure = await readFile(join(forge.dir, 'state', 'bridge.sqlite')).catch((error: Error) => error);
    expect((failure as NodeJS.ErrnoException).code).to.equal('ENOENT');
  });

  it('says what is wrong with the token, the organisation, the bot, and a forge that is down', async () => {
    const { name, admin, bot, url } = forge.org;
    const nowhere = await examine({ CC_CI_ORG: 'nobody' });
    expect(nowhere.of('repositories')?.state).to.equal('fail');
    expect(nowhere.of('membership')?.state).to.equal('fail');

    await callForge(url, admin, 'DELETE', `/orgs/${name}/members/${bot.login}`);
    const outside = (await examine()).of('membership');
    expect(outside?.state).to.equal('fail');
    expect(outside?.todo).to.equal(
      'make cc-ci-bot a member of a team of coop-cloud that may read all repositories',
    );

    await writeFile(join(forge.dir, 'token'), 'not-a-token');
    const refused = await examine();
    expect(refused.of('forge')).to.deep.include({ state: 'fail', todo: 'is the access token still valid?' });
    expect(refused.of('repositories')).to.equal(undefined);
    expect((await examine({ CC_CI_FORGE_TOKEN_FILE: '/nowhere' })).of('token')?.state).to.equal('fail');

    await forge.stopForge();
    const down = (await examine()).of('forge');
    expect(down?.said).to.include('ECONNREFUSED');
    expect(down?.todo).to.match(/^check CC_CI_FORGE_URL/);
  });

  it('says what is wrong on this machine', async () => {
    const { of } = await examine({
      CC_CI_ABRA: '/nowhere/abra',
      CC_CI_EDGE_CA_FILE: '/etc/hostname',
      CC_CI_MIN_DISK: '100000000',
      CC_CI_HOOK_SECRET_FILE: '/nowhere',
    });
    for (const part of ['abra', 'edge', 'disk', 'webhook']) expect(of(part)?.state, part).to.equal('fail');
    expect((await examine({ CC_CI_ZONE: 'other.test' })).of('edge')?.said).to.match(/altname/i);
  });

  it('on a host tells of its certificate and its parts, too', async () => {
    const { of } = await examine({ CC_CI_HOST_DIR: forge.dir, CC_CI_CERTS_DIR: join(forge.dir, 'nowhere') });
    expect(of('certificate')).to.deep.include({ state: 'fail' });
    expect(of('certificate')?.todo).to.match(/^the operator's job: put a certificate for ci\.test/);
    const root = process.getuid?.() === 0;
    expect(of(root ? 'part swarm' : 'parts')?.state).to.equal(root ? 'ok' : 'unknown');
    expect(of('units')).not.to.equal(undefined);
    expect(of('host')).to.equal(undefined);
  });

  it('misses no bridge on a host that only runs builds for a Drone server', async () => {
    const bridge = ['FORGE_URL', 'FORGE_TOKEN_FILE', 'HOOK_SECRET_FILE', 'ORG', 'BRIDGE_LISTEN'];
    const { of } = await examine({
      ...Object.fromEntries(bridge.map((name) => [`CC_CI_${name}`, undefined])),
      CC_CI_ENGINE: 'drone',
      CC_CI_DRONE_URL: 'https://drone.example.org',
      CC_CI_DRONE_TOKEN_FILE: '/nowhere',
      CC_CI_DRONE_REPOSITORY: 'coop/cc-ci',
    });
    expect(of('settings')?.state).to.equal('ok');
    expect(of('bridge')?.state).to.equal('unknown');
    expect(of('docker')?.state).to.equal('ok');
  });

  it('tells wrong settings, and looks at what can be looked at without them', async () => {
    const { of, diagnoses } = await examine({ CC_CI_FORGE_URL: 'git.example.org', CC_CI_ORG: undefined });
    const wrong = diagnoses.filter(({ part }) => part === 'settings').map(({ said }) => said);
    expect(wrong).to.have.length(2);
    expect(wrong[0]).to.match(/^CC_CI_FORGE_URL: expected an http/);
    expect(wrong[1]).to.match(/^CC_CI_ORG is not set/);
    expect(of('forge')).to.equal(undefined);
    expect(of('abra')?.state).to.equal('ok');
  });
});
