import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { parseImage, registryAuth } from './registry.js';

const DIGEST = `sha256:${'a1'.repeat(32)}`;

describe('names of images', () => {
  it('are taken apart as Docker does', () => {
    const parts = (image: string) => {
      const found = parseImage(image);
      return found && [found.registry, found.name, found.version];
    };
    expect(parts('nginx')).to.deep.equal(['docker.io', 'nginx', 'latest']);
    expect(parts('gitea/gitea:1.22.0-rootless')).to.deep.equal([
      'docker.io',
      'gitea/gitea',
      '1.22.0-rootless',
    ]);
    expect(parts('localhost/a:2')).to.deep.equal(['localhost', 'localhost/a', '2']);
    expect(parts('127.0.0.1:5000/a')).to.deep.equal(['127.0.0.1:5000', '127.0.0.1:5000/a', 'latest']);
    expect(parts('ghcr.io/o/r/s:v1')).to.deep.equal(['ghcr.io', 'ghcr.io/o/r/s', 'v1']);
    expect(parts(`redis@${DIGEST}`)).to.deep.equal(['docker.io', 'redis', DIGEST]);
    expect(parts(`ghcr.io/o/r:v1@${DIGEST}`)).to.deep.equal(['ghcr.io', 'ghcr.io/o/r', DIGEST]);
  });

  it('are refused where Docker would', () => {
    for (const image of ['', 'Nginx', 'a b', 'a:', 'a:b:c', 'a/../b', 'a?x=1', '/a', 'a/', 'a@sha256:1'])
      expect(parseImage(image), image).to.equal(undefined);
  });
});

describe('the login for a registry', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-docker-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (config: unknown) => writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const auth = (user: string, password: string) => ({
    auth: Buffer.from(`${user}:${password}`).toString('base64'),
  });
  const loginFor = async (registry: string) => {
    const header = await registryAuth(registry, { DOCKER_CONFIG: folder });
    if (header === undefined) return undefined;
    // What Go's base64.URLEncoding takes: its alphabet, and padding.
    expect(header).to.match(/^[\w-]+={0,2}$/);
    expect(header.length % 4).to.equal(0);
    return JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as Record<string, string>;
  };

  it('is none where nobody has logged in', async () => {
    expect(await loginFor('docker.io')).to.equal(undefined);
    await write({ credsStore: 'pass', auths: { 'ghcr.io': {} } });
    expect(await loginFor('ghcr.io')).to.equal(undefined);
    expect(await loginFor('docker.io')).to.equal(undefined);
  });

  it('is that of this registry and no other', async () => {
    await write({
      auths: {
        'https://index.docker.io/v1/': auth('hub', 'p:w'),
        'registry.test:5000': auth('own', 'ÿ?>ÿ~~~'),
        'https://old.test/v1/': { username: 'old', password: 'x', auth: '' },
        'token.test': { identitytoken: 'abc' },
      },
    });
    expect(await loginFor('docker.io')).to.deep.equal({
      username: 'hub',
      password: 'p:w',
      serveraddress: 'https://index.docker.io/v1/',
    });
    expect(await loginFor('registry.test:5000')).to.include({ username: 'own', password: 'ÿ?>ÿ~~~' });
    expect(await loginFor('old.test')).to.include({ username: 'old', password: 'x' });
    expect(await loginFor('token.test')).to.include({ identitytoken: 'abc' });
    expect(await loginFor('registry.test')).to.equal(undefined);
  });

  it('lies in the home folder by default', async () => {
    expect(await registryAuth('docker.io', { HOME: folder })).to.equal(undefined);
  });

  it('is not guessed from a damaged file, whose text is not repeated', async () => {
    await writeFile(join(folder, 'config.json'), '{"auths": hunter2');
    const error = await loginFor('docker.io').catch((thrown) => thrown);
    expect(error).to.be.instanceOf(InputError);
    expect(error.message).to.include('config.json').and.not.include('hunter2');
  });
});
