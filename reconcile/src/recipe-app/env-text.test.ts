import { envValues } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { completedEnv, envChanges } from './env-text.js';

const SAMPLE = `TYPE=traefik
DOMAIN=traefik.example.com
# LOG_LEVEL=DEBUG
COMPOSE_FILE="compose.yml"
COMPOSE_FILE="$COMPOSE_FILE:compose.more.yml"
SECRET_TOKEN_VERSION=v1 # length=32
`;
const OURS = {
  DOMAIN: 'traefik.example.org',
  LETS_ENCRYPT_ENV: '',
  COMPOSE_FILE: 'compose.yml:compose.wildcard.yml',
};

describe('the env file of an app of the host', () => {
  it('begins as the sample, with our values', () => {
    const text = completedEnv('', SAMPLE, OURS);
    expect(envValues(text)).to.deep.equal({ TYPE: 'traefik', SECRET_TOKEN_VERSION: 'v1', ...OURS });
    expect(text).to.include('SECRET_TOKEN_VERSION=v1 # length=32');
  });

  it('is right once it was made, and does not grow', () => {
    const text = completedEnv('', SAMPLE, OURS);
    expect(completedEnv(text, SAMPLE, OURS)).to.equal(text);
    const renewed = completedEnv(text, SAMPLE, { ...OURS, LETS_ENCRYPT_ENV: 'x' });
    expect(renewed.split('\n')).to.have.length(text.split('\n').length);
  });

  it('keeps what an operator has added, and what abra has written', () => {
    const text = completedEnv('# mine\nTYPE=traefik:1.0.0+v3\nLOG_LEVEL=INFO\n', SAMPLE, OURS);
    expect(text).to.match(/^# mine\n/);
    expect(envValues(text)).to.include({ TYPE: 'traefik:1.0.0+v3', LOG_LEVEL: 'INFO', ...OURS });
  });

  it('is completed where its writing was cut short', () => {
    expect(envValues(completedEnv('TYPE=tra', SAMPLE, OURS))).to.include({ SECRET_TOKEN_VERSION: 'v1' });
    expect(envValues(completedEnv('', SAMPLE, OURS))).to.include({ TYPE: 'traefik' });
  });

  it('is compared by values, the last assignment counts', () => {
    const text = completedEnv('', SAMPLE, OURS);
    expect(envChanges(text, text)).to.deep.equal([]);
    expect(envChanges(`${text}LETS_ENCRYPT_ENV=production\n`, text)).to.deep.equal([
      'LETS_ENCRYPT_ENV is "production" instead of ""',
    ]);
    expect(envChanges(SAMPLE, text)).to.include('LETS_ENCRYPT_ENV is missing');
  });
});
