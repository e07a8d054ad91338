import { InputError, parseEnvFile } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { mergeCompose, parseCompose } from './compose.js';
import { appSecrets, atVersion, type SecretOwner } from './secrets.js';

describe("an app's secrets", () => {
  const owner = (text: string, stack = 'app_test'): SecretOwner => {
    const entries = parseEnvFile(text);
    const values = Object.fromEntries([...entries].map(([key, { value }]) => [key, value]));
    return { entries, stack, env: { ...values, STACK_NAME: stack } };
  };
  const compose = (secrets: Record<string, string>, used = Object.keys(secrets)) => {
    const declared = Object.entries(secrets).map(
      ([key, name]) => `  ${key}: {external: true, name: "${name}"}`,
    );
    const text = `services: {app: {secrets: [${used.join(', ')}]}}\nsecrets:\n${declared.join('\n')}\n`;
    return mergeCompose([parseCompose('compose.yml', text)]);
  };

  it('take modifiers from the env key that their name contains, whatever either is called', () => {
    const [secret] = appSecrets(
      owner(
        'SECRET_WILDCARD_CERT_VERSION=v2 # length=12 charset=default,special generate=false\nSECRET_SSL_CERT_VERSION=v9 # length=99\n',
      ),
      compose({ ssl_cert: '${STACK_NAME}_ssl_cert_${SECRET_WILDCARD_CERT_VERSION}' }),
    );
    expect(secret).to.deep.equal({
      name: 'ssl_cert',
      version: 'v2',
      remoteName: 'app_test_ssl_cert_v2',
      generate: false,
      length: 12,
      charset: 'default,special',
    });
  });

  it('do not mistake a key for one that begins alike', () => {
    const [secret] = appSecrets(
      owner(
        'SECRET_KEY_VERSION=v1 # length=1\nSECRET_KEY_VERSION_2=v1\nMY_SECRET_KEY_VERSION=v1 # length=2\n',
      ),
      compose({ key: '${STACK_NAME}_key_${SECRET_KEY_VERSION_2}' }),
    );
    expect(secret).to.include({ length: undefined, generate: true });
  });

  it('are those that a service uses', () => {
    const secrets = { used: '${STACK_NAME}_used_v1', unused: '${STACK_NAME}_unused_v1' };
    expect(appSecrets(owner(''), compose(secrets, ['used'])).map(({ name }) => name)).to.deep.equal(['used']);
  });

  it('need a version', () => {
    expect(() => appSecrets(owner(''), compose({ key: '${STACK_NAME}_key_${SECRET_KEY_VERSION}' }))).to.throw(
      InputError,
      'missing version for secret? (key)',
    );
  });

  it('must fit into 64 characters', () => {
    const name = (length: number) =>
      compose({ [`k${'x'.repeat(length - 10)}`]: `\${STACK_NAME}_k${'x'.repeat(length - 10)}` });
    expect(appSecrets(owner('', 'app_test'), name(64))[0]?.remoteName).to.have.lengthOf(64);
    expect(() => appSecrets(owner('', 'app_test'), name(65))).to.throw(InputError, '> 64 chars');
  });

  it('refuse a length that is no number', () => {
    for (const length of ['0', 'long', '-1', '1e3', '100000']) {
      expect(() =>
        appSecrets(
          owner(`SECRET_KEY_VERSION=v1 # length=${length}\n`),
          compose({ key: '${STACK_NAME}_key_${SECRET_KEY_VERSION}' }),
        ),
      ).to.throw(InputError, `length=${length}`);
    }
  });

  it('can be named at another version', () => {
    const app = owner('SECRET_KEY_VERSION=v1\n');
    const [secret] = appSecrets(app, compose({ key: '${STACK_NAME}_key_${SECRET_KEY_VERSION}' }));
    if (!secret) throw new Error('there is none');
    expect(atVersion(app, secret, 'v2')).to.include({ version: 'v2', remoteName: 'app_test_key_v2' });
    expect(() => atVersion(app, secret, 'v'.repeat(60))).to.throw(InputError, '> 64 chars');
  });
});
