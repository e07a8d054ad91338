import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { describeSettings, inspectConfig, loadConfig, loadPartialConfig, readSecretFile } from './config.js';
import { ConfigError, InputError } from './errors.js';

const BRIDGE = {
  CC_CI_FORGE_URL: 'https://git.example.org/',
  CC_CI_FORGE_TOKEN_FILE: '/t',
  CC_CI_ORG: 'coop',
};

describe('configuration', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'cc-ci-config-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  const file = (content: string) => {
    const path = join(dir, 'config.json');
    writeFileSync(path, content);
    return path;
  };
  const problemsOf = (load: () => unknown): readonly string[] => {
    try {
      load();
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
    return expect.fail('it was accepted');
  };

  it('can do without what is required, but not with what is wrong', () => {
    const { drone } = loadPartialConfig(['drone'], { CC_CI_DRONE_URL: 'https://drone.example.org/' });
    expect(drone).to.deep.equal({ url: 'https://drone.example.org', branch: 'main' });
    expect(drone.repository).to.equal(undefined);
    expect(
      problemsOf(() => loadPartialConfig(['drone'], { CC_CI_DRONE_URL: 'drone', CC_CI_DRONE: 'x' })),
    ).to.have.length(2);
  });

  it('has defaults, and reads what is set', () => {
    const config = loadConfig(['common', 'bridge', 'engine'], {
      ...BRIDGE,
      CC_CI_POLL_INTERVAL: '0.5',
      MAX_TESTS: '4',
    });
    expect(config.bridge).to.include({ forgeUrl: 'https://git.example.org', pollInterval: 0.5, org: 'coop' });
    expect(config.bridge.listen).to.deep.equal({ host: '127.0.0.1', port: 8090 });
    expect(config.engine.maxTests).to.equal(4);
    expect(config.common.stateDir).to.equal('/var/lib/cc-ci');
  });

  it('takes the file where the environment says nothing', () => {
    const CC_CI_CONFIG = file(
      JSON.stringify({ bridge: { org: 'from-file', pollInterval: 30 }, engine: { maxTests: 2 } }),
    );
    const config = loadConfig(['bridge', 'engine'], { ...BRIDGE, CC_CI_POLL_INTERVAL: '7', CC_CI_CONFIG });
    expect(config.bridge).to.include({ org: 'coop', pollInterval: 7 });
    expect(config.engine.maxTests).to.equal(2);
  });

  it('reads lists: separated by commas in the environment, as arrays in the file', () => {
    const CC_CI_CONFIG = file(JSON.stringify({ bridge: { allowUsers: ['carol'], enrolled: 'a,b' } }));
    const { bridge } = loadConfig(['bridge'], {
      ...BRIDGE,
      CC_CI_CONFIG,
      CC_CI_ENROLLED: ' *, !traefik ,',
      CC_CI_IGNORE_USERS: 'renovate',
    });
    expect(bridge.enrolled).to.deep.equal(['*', '!traefik']);
    expect(bridge.allowUsers).to.deep.equal(['carol']);
    expect(bridge.ignoreUsers).to.deep.equal(['renovate']);
    const plain = loadConfig(['bridge'], BRIDGE).bridge;
    expect([plain.enrolled, plain.allowUsers, plain.mention]).to.deep.equal([undefined, [], 'always']);
    const problems = problemsOf(() =>
      loadConfig(['bridge'], { ...BRIDGE, CC_CI_ENROLLED: 'coop/x', CC_CI_ALLOW_USERS: '@carol' }),
    );
    expect(problems.join()).to.include('CC_CI_ENROLLED: ').and.include('CC_CI_ALLOW_USERS: ');
  });

  it('lists every problem with its variable and what was expected', () => {
    const problems = problemsOf(() =>
      loadConfig(['bridge', 'engine'], {
        CC_CI_FORGE_URL: 'ftp://x',
        MAX_TESTS: 'many',
        CC_CI_POLL_INTERVALL: '5',
        CC_CI_ORG: 'o',
      }),
    );
    expect(problems).to.have.length(4);
    expect(problems[0]).to.equal('CC_CI_POLL_INTERVALL is not a setting of cc-ci');
    expect(problems[1]).to.equal('CC_CI_FORGE_URL: expected an http(s) URL, got "ftp://x"');
    expect(problems[2]).to.match(/^CC_CI_FORGE_TOKEN_FILE is not set: File with the bot's access token/);
    expect(problems[3]).to.equal('MAX_TESTS: expected a whole number from 1 to 64, got "many"');
  });

  it('refuses a file with unknown keys, wrong values or no JSON', () => {
    const unknown = problemsOf(() =>
      loadConfig(['common'], { CC_CI_CONFIG: file('{"bridge":{"pol":1},"x":{}}') }),
    );
    expect(unknown.join()).to.include('pol').and.include('x');
    const wrong = problemsOf(() =>
      loadConfig(['engine'], { CC_CI_CONFIG: file('{"engine":{"maxTests":0}}') }),
    );
    expect(wrong).to.deep.equal(['engine.maxTests (MAX_TESTS): expected a whole number from 1 to 64, got 0']);
    expect(problemsOf(() => loadConfig(['common'], { CC_CI_CONFIG: file('{') }))[0]).to.include(
      'cannot be read',
    );
    expect(problemsOf(() => loadConfig(['common'], { CC_CI_CONFIG: join(dir, 'none') }))[0]).to.include(
      'no such file',
    );
  });

  it('describes every setting once', () => {
    const variables = describeSettings().map((row) => row.env);
    expect(new Set(variables).size).to.equal(variables.length);
    expect(describeSettings().find((row) => row.env === 'CC_CI_ORG')?.fallback).to.equal('required');
    expect(describeSettings().find((row) => row.env === 'CC_CI_ZONE')?.fallback).to.equal(
      'ci.commoninternet.net',
    );
    expect(describeSettings().find((row) => row.env === 'CC_CI_BRIDGE_LISTEN')?.fallback).to.equal(
      '127.0.0.1:8090',
    );
    expect(describeSettings().find((row) => row.env === 'CC_CI_SITE_DIR')?.fallback).to.equal('none');
  });

  it('reads a secret from its file only', () => {
    expect(readSecretFile(file('abc\n'), 'CC_CI_FORGE_TOKEN_FILE')).to.equal('abc');
    expect(() => readSecretFile(file('\n'), 'CC_CI_FORGE_TOKEN_FILE')).to.throw(InputError, 'is empty');
    expect(() => readSecretFile(join(dir, 'none'), 'CC_CI_FORGE_TOKEN_FILE')).to.throw(
      InputError,
      'CC_CI_FORGE_TOKEN_FILE=',
    );
  });
});

describe('the configuration in force', () => {
  const inForce = (env: NodeJS.ProcessEnv, name: string) =>
    inspectConfig(env).settings.find((setting) => setting.env === name);

  it('says of each setting where it comes from', () => {
    const dir = mkdtempSync(join(tmpdir(), 'cc-ci-config-'));
    const CC_CI_CONFIG = join(dir, 'config.json');
    writeFileSync(CC_CI_CONFIG, '{"bridge":{"org":"coop","pollInterval":30},"engine":{"maxTests":2}}');
    const env = { CC_CI_CONFIG, CC_CI_POLL_INTERVAL: '7' };
    const found = [
      'CC_CI_POLL_INTERVAL',
      'CC_CI_ORG',
      'MAX_TESTS',
      'CC_CI_BRIDGE_LISTEN',
      'CC_CI_CHROMIUM',
    ].map((name) => {
      const { value, origin, problem } = inForce(env, name) ?? {};
      return [value, origin, problem];
    });
    expect(found).to.deep.equal([
      ['7', 'environment', undefined],
      ['coop', 'file', undefined],
      ['2', 'file', undefined],
      ['127.0.0.1:8090', 'default', undefined],
      [undefined, 'not set', undefined],
    ]);
    expect(inspectConfig(env).problems).to.deep.equal([]);
    rmSync(dir, { recursive: true });
  });

  it('lists what is wrong instead of stopping at it, with the words of loadConfig', () => {
    const env = { MAX_TESTS: 'many', CC_CI_POL: '5', CC_CI_CONFIG: '/nowhere/config.json' };
    expect(inForce(env, 'MAX_TESTS')).to.include({
      value: 'many',
      origin: 'environment',
      problem: 'MAX_TESTS: expected a whole number from 1 to 64, got "many"',
    });
    expect(inForce(env, 'CC_CI_ORG')?.problem).to.match(/^CC_CI_ORG is not set: Organisation/);
    expect(inspectConfig(env).problems[0]).to.equal('CC_CI_POL is not a setting of cc-ci');
    expect(inspectConfig(env).problems[1]).to.include('/nowhere/config.json cannot be read');
  });

  it('shows no password that a URL carries', () => {
    const good = inForce({ CC_CI_FORGE_URL: 'https://bot:hunter2@git.example.org' }, 'CC_CI_FORGE_URL');
    expect(good?.value).to.equal('https://…@git.example.org');
    const bad = inForce({ CC_CI_FORGE_URL: 'ftp://bot:hunter2@git.example.org' }, 'CC_CI_FORGE_URL');
    expect(bad?.problem).to.include('//…@git').and.not.include('hunter2');
  });
});
