import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DockerService, envValues, listSecrets, listServices, run } from '@cc-ci/core';
import { type PartReport, reconcile, reconcileAlone, traefikStack } from '@cc-ci/reconcile';
import { NEWER, OLDER, traefikImage } from '@cc-ci/sandbox/testing';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type BlankHost, changesOf, killedWhere, statesOf, useBlankHost, ZONE } from './testing/host.js';

const STACK = traefikStack(ZONE);
const DOMAIN = `traefik.${ZONE}`;
const APP = `${STACK}_app`;

describe('the part traefik', () => {
  let host: BlankHost;
  useBlankHost((started) => {
    host = started;
  });

  const converge = (settings: Record<string, string> = {}, dryRun = false) =>
    reconcile(host.parts(settings), ['traefik'], { dryRun });
  const partOf = async (settings?: Record<string, string>): Promise<PartReport | undefined> =>
    (await converge(settings)).parts.find(({ part }) => part === 'traefik');
  const envFile = () => join(host.env.CC_CI_HOST_DIR ?? '', 'abra/servers/default', `${DOMAIN}.env`);
  const env = async () => envValues(await readFile(envFile(), 'utf8'));
  const secretNames = async () =>
    (await listSecrets(host.engine.docker, `${STACK}_`)).map(({ name }) => name).sort();
  /** Ids of the tasks that run, by service: another id is another container. */
  async function tasks(): Promise<Record<string, string>> {
    const names = (await listServices(host.engine.docker, STACK)).map(({ Spec }) => Spec.Name);
    const format = ['--filter', 'desired-state=running', '--format', '{{.ID}}', '--no-trunc'];
    const ids = names.map(
      async (name) => [name, await host.engine.client('service', 'ps', ...format, name)] as const,
    );
    return Object.fromEntries(await Promise.all(ids));
  }
  /** What a deployment has, by service; the app's as Docker gives it. */
  async function everything() {
    const services = (await listServices(host.engine.docker)).map(({ ID, UpdatedAt, Spec }) => ({
      ID,
      UpdatedAt,
      Spec,
    }));
    return { services, tasks: await tasks(), secrets: await secretNames(), env: await env() };
  }
  async function app() {
    const found = (await listServices(host.engine.docker, STACK)).find(({ Spec }) => Spec.Name === APP);
    if (!found) throw new Error(`there is no ${APP}`);
    return found;
  }
  const inApp = async (...command: string[]) => {
    const id = await host.engine.client('ps', '--quiet', '--filter', `name=${APP}`);
    return host.engine.client('exec', id, ...command);
  };

  it('is deployed on a blank engine in one run, with the certificate and nothing that asks for one', async () => {
    const plan = await converge({}, true);
    expect(statesOf(plan)).to.include({ swarm: 'changed', traefik: 'unknown' });
    const report = await converge();
    expect(statesOf(report)).to.deep.equal({
      swarm: 'changed',
      network: 'changed',
      certificate: 'converged',
      'certificate-secrets': 'changed',
      traefik: 'changed',
    });
    const [cert = '', key = ''] = await secretNames();
    const version = /_(v[0-9a-f]{8})$/.exec(cert)?.[1] ?? 'none';
    expect([cert, key]).to.deep.equal([`${STACK}_ssl_cert_${version}`, `${STACK}_ssl_key_${version}`]);
    expect(await env()).to.include({
      DOMAIN,
      WILDCARDS_ENABLED: '1',
      LETS_ENCRYPT_ENV: '',
      SECRET_WILDCARD_CERT_VERSION: version,
      SECRET_WILDCARD_KEY_VERSION: version,
    });
    expect((await env()).COMPOSE_FILE).to.match(/^compose\.yml:compose\.wildcard\.yml(:|$)/);

    const { Spec, ServiceStatus } = await app();
    expect(ServiceStatus).to.include({ RunningTasks: 1, DesiredTasks: 1 });
    expect(Spec.TaskTemplate.ContainerSpec.Image).to.equal(traefikImage(NEWER));
    expect(Spec.Labels).to.include({
      [`traefik.http.routers.${STACK}.rule`]: `Host(\`${DOMAIN}\`)`,
      [`traefik.http.routers.${STACK}.tls.certresolver`]: '',
      [`coop-cloud.${STACK}.recipe`]: 'traefik',
    });
    expect(await inApp('cat', '/run/secrets/ssl_cert')).to.equal(
      (await readFile(host.env.CC_CI_CERTIFICATE_FILE ?? '', 'utf8')).trim(),
    );
    expect(await inApp('cat', '/etc/traefik/file-provider.yml')).to.include(
      'certFile: /run/secrets/ssl_cert',
    );
  });

  it('is left alone by the next run', async () => {
    const before = await everything();
    expect(statesOf(await converge())).to.include({
      traefik: 'converged',
      'certificate-secrets': 'converged',
    });
    expect(await everything()).to.deep.equal(before);
  });

  it('is given a renewed certificate, and the rest of the stack goes on', async () => {
    const before = await everything();
    await host.renew({});
    const report = await converge();
    expect(statesOf(report)).to.include({ 'certificate-secrets': 'changed', traefik: 'changed' });
    const version = (await env()).SECRET_WILDCARD_CERT_VERSION ?? '';
    expect(version).to.not.equal(before.env.SECRET_WILDCARD_CERT_VERSION);
    expect(changesOf(report, 'traefik').join('\n'))
      .to.include(`does not use the secret ${STACK}_ssl_cert_${version}`)
      .and.not.include('image');
    expect(await inApp('cat', '/run/secrets/ssl_cert')).to.equal(
      (await readFile(host.env.CC_CI_CERTIFICATE_FILE ?? '', 'utf8')).trim(),
    );
    const now = await tasks();
    expect(now[`${STACK}_socket-proxy`]).to.equal(before.tasks[`${STACK}_socket-proxy`]);
    expect(now[APP]).to.not.equal(before.tasks[APP]);
  });

  const bad = {
    'has expired': { days: { from: -90, to: -1 } },
    'is for other names': { names: ['other.test'] },
  };
  for (const [what, certificate] of Object.entries(bad)) {
    it(`is left as it is while the new certificate ${what}`, async () => {
      await leftAlone(() => host.renew(certificate));
    });
  }

  it('is left as it is while the key is of another certificate', async () => {
    await leftAlone(() =>
      run('openssl', ['genrsa', '-out', host.env.CC_CI_CERTIFICATE_KEY_FILE ?? '', '2048']),
    );
  });

  async function leftAlone(spoil: () => Promise<unknown>): Promise<void> {
    const files = [host.env.CC_CI_CERTIFICATE_FILE ?? '', host.env.CC_CI_CERTIFICATE_KEY_FILE ?? ''];
    const before = await everything();
    const good = await Promise.all(files.map((file) => readFile(file)));
    await spoil();
    const report = await converge();
    expect(report.state).to.equal('blocked');
    expect(statesOf(report).certificate).to.match(/^blocked: /);
    expect(statesOf(report).traefik).to.include('blocked');
    expect(await everything()).to.deep.equal(before);
    await Promise.all(files.map((file, index) => writeFile(file, good[index] ?? '')));
    expect((await converge()).state).to.equal('converged');
    expect(await everything()).to.deep.equal(before);
  }

  const cloneDir = () => join(host.env.CC_CI_HOST_DIR ?? '', 'abra/recipes/traefik');
  const updateApp = (...change: string[]) =>
    host.engine.client('service', 'update', '--detach', '--no-resolve-image', ...change, APP);
  /** Something that goes wrong, what is said of it, and whether the app's container may be another one after. */
  const drifts: { what: string; spoil: () => Promise<unknown>; says: RegExp; restarts: string[] }[] = [
    {
      what: 'a service that was scaled to 0',
      spoil: () => host.engine.client('service', 'scale', '--detach', `${APP}=0`),
      says: /^service app is scaled to 0 instead of 1: scale it back$/,
      restarts: [APP],
    },
    {
      what: 'a label that was changed',
      spoil: () => updateApp('--label-add', `traefik.http.routers.${STACK}.rule=Host(\`x\`)`),
      says: /^service app has the label traefik\.http\.routers\.\w+\.rule as "Host\(`x`\)" instead of .*: deploy traefik/,
      restarts: [],
    },
    {
      what: 'a label that was removed',
      spoil: () => updateApp('--label-rm', 'traefik.enable'),
      says: /^service app lacks the label traefik\.enable: deploy traefik/,
      restarts: [],
    },
    {
      what: 'a variable that was changed',
      spoil: () => updateApp('--env-add', 'WILDCARDS_ENABLED=0'),
      says: /^service app has WILDCARDS_ENABLED as "0" instead of "1": deploy traefik/,
      restarts: [APP],
    },
    {
      what: 'a secret that was taken from it',
      spoil: async () =>
        updateApp('--secret-rm', `${STACK}_ssl_key_${(await env()).SECRET_WILDCARD_KEY_VERSION}`),
      says: /^service app does not use the secret \w+: deploy traefik/,
      restarts: [APP],
    },
    {
      what: 'another image',
      spoil: () => updateApp('--image', traefikImage(OLDER)),
      says: /^service app has the image traefik:v3\.6\.11 instead of traefik:v3\.6\.12: give it back$/,
      restarts: [APP],
    },
    {
      what: 'a service that was removed',
      spoil: () => host.engine.client('service', 'rm', `${STACK}_socket-proxy`),
      says: /^there is no service socket-proxy: deploy traefik/,
      restarts: [`${STACK}_socket-proxy`],
    },
    {
      what: 'an env file that was changed',
      spoil: async () => {
        const text = await readFile(envFile(), 'utf8');
        return writeFile(envFile(), `${text}LETS_ENCRYPT_ENV=production\n`);
      },
      says: /LETS_ENCRYPT_ENV is "production" instead of "": put it right$/,
      restarts: [],
    },
    {
      what: 'an env file that is gone',
      spoil: () => rm(envFile()),
      says: /^abra has no app traefik\.ci\.example\.test: make its env file/,
      restarts: [],
    },
    {
      what: 'a clone that somebody has worked in',
      spoil: () => writeFile(join(cloneDir(), 'compose.yml'), 'services: {}\n'),
      says: /^in the clone of traefik somebody has changed compose\.yml: fetch it$/,
      restarts: [],
    },
    {
      what: 'a lost folder of the host',
      spoil: () => rm(host.env.CC_CI_HOST_DIR ?? '', { recursive: true }),
      says: /^there is no clone of .*: fetch it$/,
      restarts: [],
    },
  ];
  for (const { what, spoil, says, restarts } of drifts) {
    it(`heals by one run, and touches nothing else: ${what}`, async () => {
      const before = await everything();
      await spoil();
      const report = await converge();
      expect(statesOf(report)).to.include({ 'certificate-secrets': 'converged', traefik: 'changed' });
      expect(changesOf(report, 'traefik')[0]).to.match(says);
      const now = await everything();
      expect(comparable(now)).to.deep.equal(comparable(before));
      const others = (all: Record<string, string>) =>
        Object.fromEntries(Object.entries(all).filter(([name]) => !restarts.includes(name)));
      expect(others(now.tasks)).to.deep.equal(others(before.tasks));
      expect((await converge()).state).to.equal('converged');
    });
  }

  it('heals by one run: a stack that was removed, with its secrets', async () => {
    const before = await everything();
    await host.engine.client('stack', 'rm', STACK);
    await host.engine.client('secret', 'rm', ...before.secrets);
    const report = await converge();
    expect(statesOf(report)).to.include({ 'certificate-secrets': 'changed', traefik: 'changed' });
    expect((await app()).ServiceStatus).to.include({ RunningTasks: 1 });
    expect(comparable(await everything()).env).to.deep.equal(comparable(before).env);
    expect((await converge()).state).to.equal('converged');
  });

  it('is moved to another version only by the operator, with what that has new', async () => {
    expect(await env()).to.include({ LOG_MAX_AGE: '0' });
    const older = await partOf({ CC_CI_TRAEFIK_VERSION: OLDER });
    expect(older).to.include({ state: 'changed' });
    expect((await app()).Spec.TaskTemplate.ContainerSpec.Image).to.equal(traefikImage(OLDER));
    // Nobody says which now: what is deployed stays.
    expect(await partOf()).to.include({ state: 'converged' });
    expect((await partOf({ CC_CI_TRAEFIK_VERSION: NEWER }))?.state).to.equal('changed');
    expect((await app()).Spec.TaskTemplate.ContainerSpec.Image).to.equal(traefikImage(NEWER));
    expect(await partOf({ CC_CI_TRAEFIK_VERSION: '9.9.9+v9' })).to.include({ state: 'failed' });
    expect((await app()).Spec.TaskTemplate.ContainerSpec.Image).to.equal(traefikImage(NEWER));
  });

  it('is deployed once by two at once', async () => {
    await host.renew({});
    const lock = join(host.dir, 'lock');
    const both = await Promise.all([1, 2].map(() => reconcileAlone(lock, host.parts(), ['traefik'])));
    expect(both.map(({ state }) => state).sort()).to.deep.equal(['changed', 'converged']);
  });

  it('shows nothing of the key, and keeps it nowhere but in the swarm', async () => {
    await host.renew({});
    const report = JSON.stringify(await converge());
    expect(report).to.include('ssl_key_v').and.not.include('PRIVATE KEY');
    const found = await run('grep', ['-rl', 'PRIVATE KEY', host.env.CC_CI_HOST_DIR ?? ''], {
      okCodes: [0, 1],
    });
    expect(found.stdout).to.equal('');
  });

  it('fails with the reason when it does not come up, and is right by the next run once it can', async () => {
    await host.engine.client('image', 'rm', '--force', traefikImage(OLDER));
    const failed = await partOf({ CC_CI_TRAEFIK_VERSION: OLDER, CC_CI_DEPLOY_TIMEOUT: '5' });
    expect(failed?.state).to.equal('failed');
    expect(failed?.error).to.include(traefikImage(OLDER));
    await host.engine.client('tag', traefikImage(NEWER), traefikImage(OLDER));
    expect((await partOf({ CC_CI_TRAEFIK_VERSION: OLDER }))?.state).to.equal('changed');
    expect((await partOf({ CC_CI_TRAEFIK_VERSION: NEWER }))?.state).to.equal('changed');
  });
});

/** Without what every deployment moves, and in an order of ours. */
function comparable({
  services,
  secrets,
  env,
}: {
  services: Pick<DockerService, 'Spec'>[];
  secrets: string[];
  env: Record<string, string>;
}) {
  const { TYPE: _, ...values } = env;
  const specs = services.map(({ Spec }) => Spec).sort((a, b) => a.Name.localeCompare(b.Name));
  return { specs, secrets, env: values };
}

describe('the part traefik, killed half-way', () => {
  let host: BlankHost;
  useBlankHost((started) => {
    host = started;
  });

  // In this order: each goes on from where the one before was killed.
  const places = {
    'before the second secret': { part: 'certificate-secrets', change: 2 },
    'before anything of it was begun': { part: 'traefik', change: 1 },
    'with the clone there': { part: 'traefik', change: 2 },
    'when the first service came': { part: 'traefik', change: 1, event: 'create' },
  };
  for (const [place, where] of Object.entries(places)) {
    it(`${place}, is finished by the next run`, async () => {
      await killedWhere(host, ['traefik'], where);
    });
  }

  it('is right then', async () => {
    const report = await reconcile(host.parts(), ['traefik']);
    expect(report.state).to.equal('changed');
    expect((await reconcile(host.parts(), ['traefik'])).state).to.equal('converged');
    const [service] = await listServices(host.engine.docker, STACK);
    expect(service?.ServiceStatus).to.include({ RunningTasks: 1, DesiredTasks: 1 });
  });
});
