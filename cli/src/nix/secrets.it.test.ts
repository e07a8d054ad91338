import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HostKind, secretsOf } from '@cc-ci/reconcile/secrets';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { evaluate, FACTS, ROOT } from './testing/nix.js';
import type { Services } from './testing/units.js';

interface Sops {
  defaultSopsFile: string;
  age: { sshKeyPaths: string[] };
  secrets: Record<string, { path: string; restartUnits: string[] }>;
  templates: Record<string, { path: string; content: string }>;
}

const SOPS_FILE = 'services.cc-ci.secrets.sopsFile = "/etc/cc-ci/secrets.yaml";';
const REPORTS = 'services.cc-ci.dashboard.reports = true;';
const BY_SOPS = `{ ${FACTS} ${SOPS_FILE} ${REPORTS} }`;
const RUNNER = `{ ${FACTS} ${SOPS_FILE} services.cc-ci.drone.url = "https://drone.example.org";
  services.cc-ci.reports.url = "https://ci.example.org"; }`;

describe('secrets of a host', () => {
  for (const [what, extra] of [
    ['in a folder', `{ ${FACTS} ${REPORTS} }`],
    ['by sops', BY_SOPS],
  ] as const) {
    it(`${what} are in units by their files only`, async () => {
      const services = await evaluate<Services>('services', { extra });
      const files = Object.values(await evaluate<Record<string, string>>('secrets', { extra }));
      const ofHost = ['/var/lib/cc-ci-host/drone-token', '/var/lib/cc-ci-host/drone-oauth.env'];
      let seen = 0;
      for (const [name, { environment, serviceConfig }] of Object.entries(services)) {
        const loaded = new Map(
          list(serviceConfig.LoadCredential).map((it) => it.split(':', 2) as [string, string]),
        );
        for (const [variable, value] of Object.entries(environment)) {
          if (!/SECRET|TOKEN|PASSWORD|PRIVATE/.test(variable)) continue;
          expect(variable, name).to.match(/_FILE$/);
          // Root reads them where they lie; everybody else is given them by systemd.
          const known = name.startsWith('cc-ci-reconcile-')
            ? files
            : [...loaded.keys()].map((it) => `%d/${it}`);
          expect(known, `${name}: ${variable}`).to.include(value);
          seen += 1;
        }
        // What is set where a file is missing: nothing.
        for (const fallback of list(serviceConfig.SetCredential))
          expect(fallback, name).to.match(/^[a-z-]+:\\n$/);
        for (const file of [...loaded.values(), ...list(serviceConfig.EnvironmentFile)]) {
          expect([...files, ...ofHost], name).to.include(file);
        }
      }
      expect(seen).to.be.greaterThan(4);
    });
  }

  it('by sops are decrypted with the key the host has anyway, and restart who reads them', async () => {
    const sops = await evaluate<Sops>('sops', { extra: BY_SOPS });
    expect(Object.keys(sops.secrets)).to.have.members([
      'forge-token',
      'forge-password',
      'hook-secret',
      'drone-rpc-secret',
      'report-token',
    ]);
    expect(sops.age.sshKeyPaths).to.deep.equal(['/etc/ssh/ssh_host_ed25519_key']);
    expect(sops.secrets['hook-secret']?.restartUnits).to.deep.equal(['cc-ci-bridge.service']);
    expect(sops.templates['drone-rpc.env']?.content).to.equal(
      'DRONE_RPC_SECRET=<SOPS:drone-rpc-secret:PLACEHOLDER>\n',
    );
    const services = await evaluate<Services>('services', { extra: BY_SOPS });
    for (const { restartUnits } of Object.values(sops.secrets)) {
      for (const unit of restartUnits)
        expect(Object.keys(services).map((it) => `${it}.service`)).to.include(unit);
    }
  });

  for (const [profile, extra] of [
    ['server', BY_SOPS],
    ['runner', RUNNER],
  ] as [HostKind, string][]) {
    it(`of a ${profile} are those that cc-ci secrets makes`, async () => {
      const { secrets } = await evaluate<Sops>('sops', { profile, extra });
      expect(secretsOf(profile).map(({ name }) => name)).to.have.members(Object.keys(secrets));
    });
  }

  it('are told of in docs/secrets.md', async () => {
    const page = await readFile(join(ROOT, 'docs', 'secrets.md'), 'utf8');
    const { secrets } = await evaluate<Sops>('sops', { extra: BY_SOPS });
    const told = new Set([...page.matchAll(/^\| `([^`]+)`/gm)].map((it) => it[1]));
    expect([...told]).to.have.members(Object.keys(secrets));
  });

  it('without sops are asked for, by name', async () => {
    const [warning] = await evaluate<string[]>('warnings');
    expect(warning).to.include('forge-token').and.include('/var/lib/cc-ci-secrets');
    expect(await evaluate('warnings', { extra: BY_SOPS })).to.deep.equal([]);
  });

  it('of a runner are its server’s shared one only', async () => {
    const extra = `{ ${FACTS} services.cc-ci.drone.url = "https://drone.example.org"; }`;
    expect(Object.keys(await evaluate('secrets', { profile: 'runner', extra }))).to.deep.equal([
      'drone-rpc.env',
    ]);
  });

  it('are not read by the evaluation', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'cc-ci-secrets-'));
    try {
      for (const name of ['forge-token', 'secrets.yaml']) await writeFile(join(dir, name), 'canary-4711');
      const extra = `{ ${FACTS} services.cc-ci.secrets = { sopsFile = "${dir}/secrets.yaml"; directory = "${dir}"; }; }`;
      const everything = await Promise.all(
        ['services', 'settings', 'config', 'sops'].map((it) => evaluate(it, { extra })),
      );
      expect(JSON.stringify(everything)).to.include(dir).and.not.include('canary-4711');
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

function list(value: unknown): string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}
