import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSettings, loadConfig } from '@cc-ci/core';
import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { buildProgram } from '../program.js';
import { evaluate, FACTS } from './testing/nix.js';
import { orderProblems, type Service, type Services, type Timer } from './testing/units.js';

const LOCAL = `{ ${FACTS} services.cc-ci.engine = "local"; services.cc-ci.drone.server.enable = false;
  services.cc-ci.drone.runner.enable = false; }`;
const RUNNER = `{ ${FACTS} services.cc-ci.drone.url = "https://drone.example.org"; }`;

/** What the modules make, as data. */
describe('the units of a server', () => {
  let services: Services;
  let timers: Record<string, Timer>;
  let local: Services;
  let runner: Services;
  before(async () => {
    services = await evaluate('services');
    timers = await evaluate('timers');
    local = await evaluate('services', { extra: LOCAL });
    runner = await evaluate('services', { profile: 'runner', extra: RUNNER });
  });
  const service = (name: string, from: Services = services): Service => {
    const found = from[name];
    if (!found) throw new Error(`there is no ${name}, only ${Object.keys(from).join(', ')}`);
    return found;
  };

  it('are these', () => {
    expect(Object.keys(services)).to.have.members([
      'cc-ci-bridge',
      'cc-ci-converge',
      'cc-ci-dashboard',
      'cc-ci-janitor',
      ...['swarm', 'network', 'traefik', 'backupbot', 'edge', 'oauth', 'drone'].map(
        (part) => `cc-ci-reconcile-${part}`,
      ),
      'drone-runner',
      'drone-server',
    ]);
    expect(Object.keys(timers)).to.have.members(['cc-ci-converge', 'cc-ci-janitor']);
    expect(Object.keys(runner)).to.have.members([
      'cc-ci-converge',
      'cc-ci-janitor',
      ...['swarm', 'network', 'traefik', 'backupbot'].map((part) => `cc-ci-reconcile-${part}`),
      'drone-runner',
    ]);
  });

  it('are in an order that can be', () => {
    for (const from of [services, local, runner]) expect(orderProblems(from)).to.deep.equal([]);
  });

  it('in an order that cannot be are noticed', async () => {
    const extra = `{ ${FACTS} systemd.services.cc-ci-dashboard.requires = [ "cc-ci-nothing.service" ];
      systemd.services.cc-ci-reconcile-swarm.after = [ "cc-ci-reconcile-traefik.service" ]; }`;
    const said = orderProblems(await evaluate('services', { extra })).join('\n');
    expect(said).to.include('cc-ci-dashboard names cc-ci-nothing.service, which is no unit');
    expect(said).to.include('cc-ci-dashboard requires cc-ci-nothing.service and does not wait for it');
    expect(said).to.match(/swarm\.service after .*traefik\.service after .*swarm\.service/);
  });

  it('reconcile each part after what it needs, at boot and at each switch', () => {
    const needs: Record<string, string[]> = {
      swarm: ['docker'],
      network: ['cc-ci-reconcile-swarm'],
      traefik: ['cc-ci-reconcile-network'],
      backupbot: ['cc-ci-reconcile-swarm'],
      edge: ['cc-ci-reconcile-traefik'],
      oauth: [],
      drone: ['drone-server'],
    };
    for (const [part, requires] of Object.entries(needs)) {
      const unit = service(`cc-ci-reconcile-${part}`);
      expect(unit.requires, part).to.deep.equal(requires.map((name) => `${name}.service`));
      expect(unit.serviceConfig.Type, part).to.equal('oneshot');
      // Begun again by the next start of the target only because it does not stay active.
      expect(unit.serviceConfig, part).not.to.have.property('RemainAfterExit');
      expect(unit.wantedBy, part).to.deep.equal(['multi-user.target']);
      expect(unit.serviceConfig.ExecStart, part).to.match(new RegExp(`/bin/cc-ci reconcile ${part}$`));
    }
    expect(service('drone-server').after).to.include('cc-ci-reconcile-oauth.service');
    expect(service('cc-ci-bridge').after).to.include('cc-ci-reconcile-drone.service');
  });

  it('look at all parts again by a timer', () => {
    const parts = Object.keys(services).filter((name) => name.startsWith('cc-ci-reconcile-'));
    expect(service('cc-ci-converge').wants).to.have.members(parts.map((name) => `${name}.service`));
    expect(timers['cc-ci-converge']?.timerConfig).to.have.property('OnUnitInactiveSec');
    expect(timers['cc-ci-janitor']?.wantedBy).to.deep.equal(['timers.target']);
  });

  it('let the bridge speak to systemd, and end its own runs', () => {
    for (const from of [services, local]) {
      expect(service('cc-ci-bridge', from).serviceConfig).to.deep.include({
        Type: 'notify',
        NotifyAccess: 'all',
        WatchdogSec: 60,
        KillMode: 'process',
        Restart: 'always',
      });
    }
    expect(service('cc-ci-bridge', local).serviceConfig.MemoryMax).to.equal('3584M');
    expect(service('cc-ci-bridge').serviceConfig.MemoryMax).to.equal('512M');
  });

  it('hand reports on, and take them, with the token they share', async () => {
    const extra = RUNNER.replace(/}$/, ' services.cc-ci.reports.url = "https://ci.example.org"; }');
    const sender = service('cc-ci-send-reports', await evaluate('services', { profile: 'runner', extra }));
    expect(sender.serviceConfig.ExecStart).to.match(/\/bin\/cc-ci send-reports$/);
    expect(await evaluate('settings', { profile: 'runner', extra })).to.deep.include({
      reports: { url: 'https://ci.example.org' },
    });
    const taking = `{ ${FACTS} services.cc-ci.dashboard.reports = true; }`;
    const dashboard = service('cc-ci-dashboard', await evaluate('services', { extra: taking }));
    for (const { environment, serviceConfig } of [sender, dashboard]) {
      expect(environment.CC_CI_REPORT_TOKEN_FILE).to.equal('%d/report-token');
      expect(serviceConfig.LoadCredential).to.deep.equal([
        'report-token:/var/lib/cc-ci-secrets/report-token',
      ]);
    }
    expect(service('cc-ci-dashboard').environment).not.to.have.property('CC_CI_REPORT_TOKEN_FILE');
    expect(Object.keys(runner)).not.to.include('cc-ci-send-reports');
  });

  it('give Docker to nobody who does not deploy', () => {
    const withDocker = (from: Services) =>
      Object.keys(from).filter((name) => from[name]?.serviceConfig.SupplementaryGroups !== undefined);
    expect(withDocker(services)).to.have.members(['cc-ci-converge', 'cc-ci-janitor', 'drone-runner']);
    expect(withDocker(local)).to.have.members(['cc-ci-bridge', 'cc-ci-converge', 'cc-ci-janitor']);
  });

  it('may do little', () => {
    for (const [name, { serviceConfig }] of [...Object.entries(services), ...Object.entries(local)]) {
      expect(serviceConfig, name).to.deep.include({
        NoNewPrivileges: true,
        ProtectSystem: 'strict',
        ProtectHome: true,
      });
      const mayRead = name === 'cc-ci-reconcile-traefik' ? 'CAP_DAC_READ_SEARCH' : '';
      expect(serviceConfig.CapabilityBoundingSet, name).to.equal(mayRead);
      if (name !== 'cc-ci-converge' || serviceConfig.MemoryMax)
        expect(serviceConfig, name).to.have.property('MemoryMax');
      const isRoot = !serviceConfig.User && !serviceConfig.DynamicUser;
      expect(isRoot, `${name} is root`).to.equal(name.startsWith('cc-ci-reconcile-'));
    }
  });

  it('make the pages by a timer where nobody serves them', async () => {
    const extra = `{ ${FACTS} services.cc-ci.dashboard.serve = false; }`;
    expect(
      service('cc-ci-dashboard-build', await evaluate('services', { extra })).serviceConfig.Type,
    ).to.equal('oneshot');
    const built = (await evaluate<typeof timers>('timers', { extra }))['cc-ci-dashboard-build'];
    expect(built?.timerConfig).to.have.property('OnUnitInactiveSec', '1min');
  });

  it('give the runner what .drone.yml needs', () => {
    const { environment, path, serviceConfig } = service('drone-runner', runner);
    expect(environment).to.deep.include({
      DRONE_RPC_HOST: 'drone.example.org',
      DRONE_RPC_PROTO: 'https',
      DRONE_RUNNER_CAPACITY: '1',
    });
    // The runner splits it at commas, and each at its colon.
    for (const pair of (environment.DRONE_RUNNER_ENVIRON ?? '').split(','))
      expect(pair).to.match(/^\w+:[^:]+$/);
    expect(path.map((it) => it.replace(/.*-(?=cc-ci$|abra$|git$|docker$|chromium$)/, ''))).to.include.members(
      ['cc-ci', 'abra', 'git', 'docker', 'chromium'],
    );
    expect(serviceConfig.KillMode).to.equal('process');
  });

  it('call commands that there are', () => {
    const known = buildProgram().commands.map((it) => it.name());
    for (const from of [services, local, runner]) {
      for (const [name, { serviceConfig }] of Object.entries(from)) {
        const command = /\/bin\/cc-ci (\S+)/.exec(String(serviceConfig.ExecStart))?.[1];
        if (command) expect(known, name).to.include(command);
      }
    }
  });

  it('set variables that are settings', () => {
    const known = ['CC_CI_CONFIG', ...describeSettings().map((it) => it.env)];
    for (const from of [services, local, runner]) {
      for (const [name, { environment }] of Object.entries(from)) {
        const ours = Object.keys(environment).filter((it) => it.startsWith('CC_CI_'));
        expect(known, name).to.include.members(ours);
      }
    }
  });

  it('are restarted by new settings', () => {
    for (const [name, { environment, restartTriggers }] of Object.entries(services)) {
      if (environment.CC_CI_CONFIG)
        expect(restartTriggers.join(), name).to.include('"zone":"ci.example.org"');
    }
  });
});

describe('the settings file of a host', () => {
  for (const [what, extra] of [
    ['with Drone', `{ ${FACTS} }`],
    ['with the embedded engine', LOCAL],
    [
      'with much of its own',
      `{ ${FACTS} services.cc-ci = { maxTests = 3; settings.runner.deployTimeout = 900; bridge.pollInterval = 2.5;
        bridge.enrolled = [ "*" "!traefik" ]; bridge.mention = "failure"; }; }`,
    ],
  ] as const) {
    it(`${what} is one that cc-ci reads`, async () => {
      const config = await readBack(await evaluate('settings', { extra }));
      expect(config.engine.kind).to.equal(extra === LOCAL ? 'local' : 'drone');
      expect(config.drone?.url).to.equal(extra === LOCAL ? undefined : 'https://drone.ci.example.org');
      expect(config.runner.zone).to.equal('ci.example.org');
      expect(config.bridge.org).to.equal('coop');
      expect(config.bridge.listen).to.deep.equal({ host: '172.17.0.1', port: 8090 });
      expect(config.engine.maxTests).to.equal(what === 'with much of its own' ? 3 : 1);
      expect(config.runner.deployTimeout).to.equal(what === 'with much of its own' ? 900 : 600);
    });
  }
});

/** Through cc-ci's own reader, which refuses what it does not know. */
async function readBack(settings: unknown) {
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-settings-'));
  try {
    const file = join(dir, 'config.json');
    await writeFile(file, JSON.stringify(settings));
    const env = {
      CC_CI_CONFIG: file,
      CC_CI_FORGE_TOKEN_FILE: '/run/credentials/forge-token',
      CC_CI_DRONE_TOKEN_FILE: '/run/credentials/drone-token',
    };
    const config = loadConfig(['common', 'runner', 'engine', 'bridge', 'dashboard'], env);
    return {
      ...config,
      drone: config.engine.kind === 'drone' ? loadConfig(['drone'], env).drone : undefined,
    };
  } finally {
    await rm(dir, { recursive: true });
  }
}
