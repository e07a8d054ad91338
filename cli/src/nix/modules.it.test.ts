import { hostname } from 'node:os';
import { describeError, run } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type Evaluated, evaluate, FACTS } from './testing/nix.js';

interface Evaluation {
  config: {
    environment: { etc: Record<string, { text: string }>; variables: Record<string, string> };
    networking: {
      firewall: { allowedTCPPorts: number[]; interfaces: Record<string, { allowedTCPPorts: number[] }> };
    };
    users: { users: Record<string, { isSystemUser: boolean; group: string; home: string }> };
    virtualisation: { docker: { enable: boolean; liveRestore: boolean; daemon: { settings: unknown } } };
    tmpfiles: { rules: string[] };
    preSwitchChecks: Record<string, string>;
  };
}

const withFacts = (more: string) => `{ lib, pkgs, ... }: { imports = [ { ${FACTS} } ]; ${more} }`;

/** Our modules, unchanged, in our own evaluator: what it knows of NixOS is what nix/stub says. */
describe('the modules', () => {
  for (const profile of ['host', 'server', 'runner', 'none'] as const) {
    it(`evaluate as ${profile}`, async () => {
      const extra = profile === 'host' ? '{ }' : withFacts('services.cc-ci.drone.url = "https://d.example";');
      expect(await evaluate('toplevel', { profile, extra })).to.match(/nixos-system-.*\.drv$/);
    });
  }

  it('do nothing to a host that enables nothing', async () => {
    const options: Evaluated = { profile: 'none', extra: withFacts('') };
    expect(await evaluate('services', options)).to.deep.equal({});
    expect(await evaluate('timers', options)).to.deep.equal({});
    const { users, environment } = await evaluate<Evaluation['config']>('config', options);
    expect(users.users).to.deep.equal({});
    expect(environment.etc).to.deep.equal({});
  });

  it('make the user without Docker, folders, ports and an engine that can be a Swarm', async () => {
    const { environment, networking, users, virtualisation, tmpfiles } =
      await evaluate<Evaluation['config']>('config');
    expect(users.users['cc-ci']).to.deep.include({
      isSystemUser: true,
      group: 'cc-ci',
      home: '/var/lib/cc-ci',
    });
    expect(tmpfiles.rules).to.include.members([
      'd /var/lib/cc-ci 0750 cc-ci cc-ci -',
      'd /var/lib/cc-ci-host 0700 root root -',
    ]);
    expect(networking.firewall.allowedTCPPorts).to.deep.equal([80, 443]);
    expect(networking.firewall.interfaces.docker_gwbridge?.allowedTCPPorts).to.deep.equal([8090, 8091, 8092]);
    expect(virtualisation.docker).to.deep.include({ enable: true, liveRestore: false });
    expect(virtualisation.docker.daemon.settings).to.deep.include({ bip: '172.17.0.1/16' });
    expect(environment.variables.CC_CI_CONFIG).to.equal('/etc/cc-ci/config.json');
    expect(environment.etc.timezone?.text).to.equal('UTC\n');
  });

  it('let a host decide otherwise than its profile', async () => {
    const services = await evaluate<Record<string, unknown>>('services', {
      extra: withFacts('services.cc-ci.dashboard.enable = false;'),
    });
    expect(Object.keys(services)).to.include('cc-ci-bridge').and.not.include('cc-ci-dashboard');
  });

  const mistakes: [what: string, extra: string, said: RegExp, more?: Evaluated][] = [
    ['text for a number', 'services.cc-ci.maxTests = "many";', /maxTests.*not of type/],
    ['a number out of its range', 'services.cc-ci.maxTests = 0;', /maxTests.*between 1 and 64/],
    ['a zone that is no name', 'services.cc-ci.zone = lib.mkForce "CI";', /zone.*not of type/],
    [
      'a setting that cannot be',
      'services.cc-ci.settings.runner.x = pkgs;',
      /settings\.runner\.x.*not of type/,
    ],
    ['an option of ours that is none', 'services.cc-ci.maxTest = 2;', /cc-ci\.maxTest. does not exist/],
    ['an option of NixOS that is none', 'services.opensshd.enable = true;', /opensshd. does not exist/],
    [
      'an option that is none, behind a false condition',
      'services.cc-ci = lib.mkIf false { nothing = 1; };',
      /cc-ci\.nothing. does not exist/,
    ],
    ['two zones', 'services.cc-ci.zone = "other.example.org";', /zone.*conflicting/],
    ['a computed value set by hand', 'services.cc-ci.settingsText = "{}";', /settingsText.*read-only/],
    [
      'a unit name without its end',
      'systemd.services.cc-ci-bridge.after = [ "docker" ];',
      /after.*not of type/,
    ],
    [
      'Traefik without Swarm',
      'services.cc-ci.swarm.enable = false;',
      /traefik\.enable needs .*swarm\.enable/,
    ],
    [
      'backups without Swarm',
      'services.cc-ci.swarm.enable = false;',
      /backupbot\.enable needs .*swarm\.enable/,
    ],
    [
      'a runner without Swarm',
      'services.cc-ci.swarm.enable = false;',
      /runner\.enable needs .*swarm\.enable/,
    ],
    [
      'an engine that cannot be a Swarm',
      'virtualisation.docker.liveRestore = lib.mkForce true;',
      /Docker refuses Swarm mode/,
    ],
    [
      'a bridge without an organisation',
      'services.cc-ci.org = lib.mkForce null;',
      /bridge\.enable needs .*org/,
    ],
    [
      'Drone without a bot',
      'services.cc-ci.forge.bot = lib.mkForce null;',
      /drone\.server\.enable needs .*bot/,
    ],
    ['Drone that has no runners', 'services.cc-ci.drone.server.package = pkgs.drone-oss;', /use pkgs\.drone/],
    ['two services on one port', 'services.cc-ci.dashboard.port = 8090;', /8090 8090 8092 are the same/],
    ['one folder for two owners', 'services.cc-ci.hostDir = "/var/lib/cc-ci";', /are the same folder/],
    [
      'a runner without a server',
      '',
      /drone\.runner\.enable needs .*where is the server/,
      { profile: 'runner' },
    ],
    [
      'the embedded engine without Swarm',
      'services.cc-ci = { bridge.enable = true; engine = "local"; };',
      /embedded engine needs .*swarm\.enable/,
      { profile: 'none' },
    ],
    [
      'a file of sops without sops-nix',
      'services.cc-ci.secrets.sopsFile = "/etc/secrets.yaml";',
      /sops-nix is not among the modules/,
      { sops: false },
    ],
    [
      'reports handed on to itself',
      'services.cc-ci.reports.url = "https://ci.example.org";',
      /reports\.url is set on a host with a dashboard/,
    ],
    [
      'reports that nobody takes',
      'services.cc-ci.dashboard = { reports = true; serve = false; };',
      /dashboard\.reports needs .*dashboard\.serve/,
    ],
    ['no root file system', 'fileSystems = lib.mkForce { };', /root file system/],
  ];
  for (const [what, extra, said, more] of mistakes) {
    it(`refuse ${what}`, async () => {
      const failure = await evaluate('toplevel', { ...more, extra: withFacts(extra) }).then(
        () => expect.fail('it passed'),
        (error: unknown) => describeError(error),
      );
      expect(failure).to.match(said);
    });
  }

  it('warn of what works and is hardly meant', async () => {
    const extra = withFacts('services.cc-ci.engine = "local";');
    const warnings = await evaluate<string[]>('warnings', { extra });
    expect(warnings.join('\n')).to.match(/settings of the embedded engine/);
  });
});

describe('the identity of a machine', () => {
  const check = async (names: string) => {
    const extra = withFacts(`services.cc-ci.identity.hostNames = ${names};`);
    const { preSwitchChecks } = await evaluate<Evaluation['config']>('config', { extra });
    return run('bash', ['-euo', 'pipefail', '-c', preSwitchChecks['cc-ci-identity'] ?? ''], {
      okCodes: [0, 1],
    });
  };

  it('is accepted by its name', async () => {
    expect((await check(`[ "another" "${hostname()}" ]`)).exitCode).to.equal(0);
  });

  it('is refused before anything is changed, in words', async () => {
    const { exitCode, stderr } = await check('[ "another" "one $(more)" ]');
    expect(exitCode).to.equal(1);
    expect(stderr).to.include(`this machine is called ${hostname()}`).and.include('another one $(more)');
    expect(stderr).to.include('nothing was changed');
  });

  it('is not asked where that is switched off', async () => {
    const extra = withFacts('services.cc-ci.identity.enable = false;');
    const { preSwitchChecks } = await evaluate<Evaluation['config']>('config', { extra });
    expect(preSwitchChecks).to.deep.equal({});
  });
});
