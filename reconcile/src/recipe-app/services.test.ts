import type { DockerService } from '@cc-ci/core';
import { parseCompose, type RenderedApp } from '@cc-ci/runner';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { faultsOf, versionVariable, wantedServices } from './services.js';

const STACK = 'traefik_example_org';
const FILES = [
  parseCompose(
    'compose.yml',
    `services:
  app:
    image: traefik:v3
    secrets: [token]
    deploy:
      labels:
        - "traefik.enable=true"
        - "rule=Host(\`\${DOMAIN}\`)"
        - "coop-cloud.\${STACK_NAME}.version=1"
  agent: { image: agent, deploy: { mode: global, labels: { number: 3, empty: } } }
  worker: { image: worker, deploy: { replicas: "\${WORKERS:-2}" } }
secrets:
  token: { external: true, name: "\${STACK_NAME}_token_\${SECRET_TOKEN_VERSION}" }
`,
  ),
  parseCompose(
    'compose.wildcard.yml',
    `services: { app: { secrets: [{ source: ssl_cert, target: x }], deploy: { labels: { traefik.enable: "no" } } } }
secrets: { ssl_cert: { name: "\${STACK_NAME}_ssl_cert_\${SECRET_WILDCARD_CERT_VERSION}" }, plain: { external: true } }
`,
  ),
];
const RENDERED: RenderedApp = {
  listed: '',
  names: [],
  files: FILES,
  values: { DOMAIN: 'traefik.example.org', STACK_NAME: STACK },
  images: new Map([
    ['app', 'traefik:v3'],
    ['agent', 'agent'],
    ['worker', 'worker'],
  ]),
  secrets: new Map([
    ['token', `${STACK}_token_v1`],
    ['ssl_cert', `${STACK}_ssl_cert_v2`],
  ]),
};
const WANTED = wantedServices(RENDERED);
const ENV = { WILDCARDS_ENABLED: '1', LETS_ENCRYPT_ENV: '' };

interface Has {
  image?: string;
  labels?: Record<string, string>;
  env?: string[];
  secrets?: string[];
  mode?: DockerService['Spec']['Mode'];
  running?: number;
  desired?: number;
}

function service(name: string, has: Has): DockerService {
  const { image = name, labels = {}, env = [], secrets = [], mode = {}, running = 1, desired = 1 } = has;
  return {
    ID: `id-${name}`,
    CreatedAt: '',
    UpdatedAt: '',
    Spec: {
      Name: `${STACK}_${name}`,
      Labels: { 'com.docker.stack.namespace': STACK, ...labels },
      TaskTemplate: {
        ContainerSpec: { Image: image, Env: env, Secrets: secrets.map((SecretName) => ({ SecretName })) },
      },
      Mode: mode,
    },
    ServiceStatus: { RunningTasks: running, DesiredTasks: desired },
  };
}
const APP: Has = {
  image: 'traefik:v3@sha256:abc',
  labels: {
    'traefik.enable': 'no',
    rule: 'Host(`traefik.example.org`)',
    'com.docker.stack.image': 'traefik:v3',
  },
  env: ['WILDCARDS_ENABLED=1', 'OTHER'],
  secrets: [`${STACK}_token_v1`, `${STACK}_ssl_cert_v2`],
  mode: { Replicated: { Replicas: 1 } },
};
const AGENT = service('agent', { labels: { number: '3', empty: '' }, mode: { Global: {} } });
const WORKER = service('worker', { mode: { Replicated: { Replicas: 2 } }, running: 2, desired: 2 });
const faults = (has: Has, ...others: DockerService[]) =>
  faultsOf(STACK, WANTED, ENV, [service('app', { ...APP, ...has }), AGENT, WORKER, ...others]);
const NONE = { deploy: [], images: [], scale: [], dropped: [], down: [] };

describe('the services of an app of the host', () => {
  it('are wanted as its compose files say together', () => {
    expect([...(WANTED.get('app')?.labels ?? [])]).to.deep.include(['traefik.enable', 'no']);
    expect([...(WANTED.get('app')?.secrets ?? [])]).to.deep.equal([
      `${STACK}_token_v1`,
      `${STACK}_ssl_cert_v2`,
    ]);
    expect([...WANTED.values()].map(({ replicas }) => replicas)).to.deep.equal([1, undefined, 2]);
  });

  it('are right with what Docker and abra have added', () => {
    expect(faults({})).to.deep.equal(NONE);
    expect(faults({ env: [...(APP.env ?? []), 'LETS_ENCRYPT_ENV='] })).to.deep.equal(NONE);
  });

  it('are deployed where there are none, or one is missing', () => {
    expect(faultsOf(STACK, WANTED, ENV, []).deploy).to.deep.equal(['it is not deployed']);
    expect(faultsOf(STACK, WANTED, ENV, [service('app', APP), AGENT]).deploy).to.deep.equal([
      'there is no service worker',
    ]);
  });

  it('are deployed again for another label, variable or secret', () => {
    const { rule: _, ...labels } = APP.labels ?? {};
    expect(faults({ labels }).deploy).to.deep.equal(['service app lacks the label rule']);
    expect(faults({ env: ['WILDCARDS_ENABLED=0', 'LETS_ENCRYPT_ENV=production'] }).deploy).to.deep.equal([
      'service app has WILDCARDS_ENABLED as "0" instead of "1"',
      'service app has LETS_ENCRYPT_ENV as "production" instead of ""',
    ]);
    expect(faults({ secrets: [`${STACK}_token_v1`, `${STACK}_ssl_cert_v1`] }).deploy).to.deep.equal([
      `service app does not use the secret ${STACK}_ssl_cert_v2`,
      `service app uses the secret ${STACK}_ssl_cert_v1`,
    ]);
  });

  it('are given the image back that they were deployed with, and deployed for another', () => {
    expect(faults({ image: 'traefik:v2' })).to.deep.equal({
      ...NONE,
      images: [{ id: 'id-app', name: 'app', from: 'traefik:v2', to: 'traefik:v3' }],
    });
    const labels = { ...APP.labels, 'com.docker.stack.image': 'traefik:v2' };
    expect(faults({ image: 'traefik:v2', labels }).deploy).to.deep.equal([
      'service app has the image traefik:v2 instead of traefik:v3',
    ]);
  });

  it('are scaled, waited for, or removed where nothing else is wrong', () => {
    expect(faults({ mode: { Replicated: { Replicas: 0 } }, running: 0, desired: 0 }).scale).to.deep.equal([
      { id: 'id-app', name: 'app', from: 0, to: 1 },
    ]);
    expect(faults({ running: 0 })).to.deep.equal({ ...NONE, down: ['service app runs 0 of 1'] });
    expect(faults({}, service('old', {})).dropped).to.deep.equal([{ id: 'id-old', name: 'old' }]);
  });
});

describe('the variable of a secret’s version', () => {
  it('is that of its name in the compose files, which follows from no other', () => {
    expect(versionVariable(FILES, 'ssl_cert')).to.equal('SECRET_WILDCARD_CERT_VERSION');
    expect(versionVariable(FILES, 'token')).to.equal('SECRET_TOKEN_VERSION');
  });

  it('is missed where a secret has none', () => {
    expect(() => versionVariable(FILES, 'plain')).to.throw('name no secret plain with a version');
    expect(() => versionVariable(FILES, 'nothing')).to.throw('name no secret nothing');
  });
});
