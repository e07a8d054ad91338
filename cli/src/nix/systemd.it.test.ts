import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { evaluate, FACTS } from './testing/nix.js';
import {
  type Service,
  type Services,
  SYSTEM_UNITS,
  type Timer,
  timerText,
  unitText,
} from './testing/units.js';

const MISSING = { missingHint: 'apt-get install --no-install-recommends systemd, or run ./setup --tests' };

/** How exposed a unit may be, of 10 (systemd-analyze security); what can reach Docker or is root may be more so. */
const MAX_EXPOSURE = { closed: 1.7, docker: 4.1, root: 2.3 };

/** What systemd itself says of the units: names of sections and keys, values it parses, programs, units they need. */
describe('systemd', () => {
  /** The one unit that a server has not. */
  async function sendReports(): Promise<Service> {
    const extra = `{ ${FACTS} services.cc-ci.drone.url = "https://d.example"; services.cc-ci.reports.url = "https://c.example"; }`;
    const { 'cc-ci-send-reports': unit } = await evaluate<Services>('services', { profile: 'runner', extra });
    return unit ?? expect.fail('there is no cc-ci-send-reports');
  }

  let dir: string;
  let services: Services;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-units-'));
    services = {
      ...(await evaluate<Services>('services')),
      'cc-ci-send-reports': await sendReports(),
    };
    const timers = await evaluate<Record<string, Timer>>('timers');
    const empty = '[Unit]\n[Service]\nExecStart=/bin/true\n';
    for (const unit of SYSTEM_UNITS) {
      await writeFile(join(dir, unit), unit.endsWith('.target') ? '[Unit]\n' : empty);
    }
    for (const [name, service] of Object.entries(services)) await write(name, service);
    for (const [name, timer] of Object.entries(timers)) {
      await writeFile(join(dir, `${name}.timer`), timerText(timer));
    }
  });
  after(() => rm(dir, { recursive: true, force: true }));

  /** Writes a unit whose program is one that is there. */
  async function write(name: string, service: Service): Promise<void> {
    const program = String(service.serviceConfig.ExecStart).split(' ')[0] ?? '';
    const there = join(dir, 'store', program);
    await mkdir(join(there, '..'), { recursive: true });
    await writeFile(there, '#!/bin/sh\n');
    await chmod(there, 0o755);
    await writeFile(
      join(dir, `${name}.service`),
      unitText(service).replace(`ExecStart=${program}`, `ExecStart=${there}`),
    );
  }

  const verify = async (unit: string) => {
    const { stdout, stderr, exitCode } = await run(
      'systemd-analyze',
      ['verify', '--man=no', join(dir, unit)],
      {
        ...MISSING,
        okCodes: [0, 1],
        timeoutMs: 30_000,
      },
    );
    return { said: `${stdout}${stderr}`.trim(), exitCode };
  };

  it('understands every unit and has nothing to say about it', async () => {
    const timers = await evaluate<Record<string, Timer>>('timers');
    const units = [
      ...Object.keys(services).map((it) => `${it}.service`),
      ...Object.keys(timers).map((it) => `${it}.timer`),
    ];
    for (const unit of units) expect(await verify(unit), unit).to.deep.equal({ said: '', exitCode: 0 });
  });

  const mistakes: [what: string, change: (service: Service) => void, said: RegExp][] = [
    [
      'a key that is none',
      ({ serviceConfig }) => Object.assign(serviceConfig, { LoadCredentail: 'a:/b' }),
      /Unknown key/,
    ],
    [
      'a value that is none',
      ({ serviceConfig }) => Object.assign(serviceConfig, { Restart: 'sometimes' }),
      /Failed to parse/,
    ],
    [
      'a key of another section',
      ({ unitConfig }) => Object.assign(unitConfig, { MemoryMax: '1G' }),
      /Unknown key/,
    ],
    ['a unit that is not there', ({ requires }) => requires.push('cc-ci-nothing.service'), /cc-ci-nothing/],
    [
      'a program that is not there',
      ({ serviceConfig }) => Object.assign(serviceConfig, { ExecStartPre: '/nowhere/program' }),
      /not executable/,
    ],
  ];
  for (const [what, change, said] of mistakes) {
    it(`complains of ${what}`, async () => {
      const service = structuredClone(services['cc-ci-dashboard']);
      if (!service) return expect.fail('there is no dashboard');
      change(service);
      await write('mistaken', service);
      expect((await verify('mistaken.service')).said).to.match(said);
    });
  }

  it('finds the services little exposed', async () => {
    for (const [name, { serviceConfig }] of Object.entries(services)) {
      const kind = serviceConfig.SupplementaryGroups
        ? 'docker'
        : serviceConfig.User || serviceConfig.DynamicUser
          ? 'closed'
          : 'root';
      const exposure = await exposureOf(`${name}.service`);
      expect(exposure, `${name} (${kind})`).to.be.at.most(MAX_EXPOSURE[kind]);
    }
  });

  it('finds a service exposed that has lost its hardening', async () => {
    const extra = `{ lib, ... }: { imports = [ { ${FACTS} } ];
      systemd.services.cc-ci-dashboard.serviceConfig = { ProtectSystem = lib.mkForce false; NoNewPrivileges = lib.mkForce false;
        CapabilityBoundingSet = lib.mkForce "~"; SystemCallFilter = lib.mkForce [ ]; }; }`;
    const { 'cc-ci-dashboard': dashboard } = await evaluate<Services>('services', { extra });
    if (!dashboard) return expect.fail('there is no dashboard');
    await write('exposed', dashboard);
    expect(await exposureOf('exposed.service')).to.be.above(MAX_EXPOSURE.closed);
  });

  async function exposureOf(unit: string): Promise<number> {
    const args = ['security', '--offline=true', '--no-pager', join(dir, unit)];
    const { stdout } = await run('systemd-analyze', args, { ...MISSING, timeoutMs: 30_000 });
    const score = /Overall exposure level for .*: ([\d.]+)/.exec(stdout)?.[1];
    expect(score, stdout).not.to.equal(undefined);
    return Number(score);
  }
});
