import { expect } from 'chai';
import { describe, it } from 'mocha';
import { buildEnvironment } from './environment.js';
import { readDetails } from './protocol.js';

describe("the environment of a build's steps", () => {
  const workspace = { root: '/w', home: '/w/home', source: '/w/src', scripts: '/w/opt' };
  const host = { PATH: '/host/bin', USER: 'host', SECRET: 'of the host' };
  const of = (params: Record<string, string>, environ: Record<string, string> = {}) =>
    buildEnvironment(
      readDetails({
        build: { id: 1, number: 7, after: 'a'.repeat(40), target: 'main', params },
        repository: { slug: 'coop/cc-ci', git_http_url: 'http://forge.test/coop/cc-ci.git' },
        stage: { id: 1, name: 'test', version: 1 },
        system: {},
        config: { Data: '' },
      }),
      workspace,
      { host, environ },
    );

  it('has of the host what it needs to find programs, and nothing else', () => {
    const env = of({});
    expect(env).to.include({ PATH: '/host/bin', USER: 'host', HOME: '/w/home', DRONE_BUILD_NUMBER: '7' });
    expect(env).to.not.have.property('SECRET');
  });

  it('prefers what the runner adds to the host, and a parameter to both, but nothing to what is Drone’s', () => {
    const added = { PATH: '/added/bin', CC_CI_CONFIG: '/etc/runner.json', HOME: '/added' };
    expect(of({}, added)).to.include({
      PATH: '/added/bin',
      CC_CI_CONFIG: '/etc/runner.json',
      HOME: '/w/home',
    });
    const asked = { PATH: '/asked/bin', CC_CI_CONFIG: '/asked.json', HOME: '/asked', DRONE_REPO: 'x/y' };
    expect(of(asked, added)).to.include({ ...asked, HOME: '/w/home', DRONE_REPO: 'coop/cc-ci' });
  });
});
