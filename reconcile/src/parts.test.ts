import { loadConfig, loadPartialConfig } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { droneHostOf } from './parts.js';

describe('droneHostOf', () => {
  const of = (env: Record<string, string>) =>
    droneHostOf({
      ...loadConfig(['runner', 'engine', 'host'], env),
      ...loadPartialConfig(['bridge', 'drone'], env),
    });
  const whole = {
    CC_CI_FORGE_BOT: 'bot',
    CC_CI_FORGE_PASSWORD_FILE: '/secrets/password',
    CC_CI_FORGE_URL: 'https://git.example.org/',
    CC_CI_DRONE_URL: 'https://drone.example.org/',
    CC_CI_DRONE_REPOSITORY: 'coop/cc-ci',
    CC_CI_HOST_DIR: '/host',
  };

  it('is none where nobody is named as the bot, whatever else is set', () => {
    const { CC_CI_FORGE_BOT: _, ...rest } = whole;
    expect(of({})).to.deep.equal({ is: 'none' });
    expect(of(rest)).to.deep.equal({ is: 'none' });
  });

  it('names each setting that a host with a bot lacks', () => {
    const { CC_CI_FORGE_URL: _, CC_CI_DRONE_URL: __, ...rest } = whole;
    expect(of(rest)).to.deep.equal({ is: 'partial', unset: ['CC_CI_FORGE_URL', 'CC_CI_DRONE_URL'] });
  });

  it('has its files in the folder of the host, and lets Drone wait longer than a build may take', () => {
    const found = of({ ...whole, CC_CI_BUILD_TIMEOUT: '3601', CC_CI_DRONE_UNIT: 'drone-server.service' });
    expect(found).to.deep.equal({
      is: 'whole',
      host: {
        forgeUrl: 'https://git.example.org',
        bot: 'bot',
        passwordFile: '/secrets/password',
        droneUrl: 'https://drone.example.org',
        repository: 'coop/cc-ci',
        clientFile: '/host/drone-oauth.env',
        tokenFile: '/host/drone-token',
        timeoutMinutes: 91,
        unit: 'drone-server.service',
      },
    });
  });
});
