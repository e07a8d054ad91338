import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { claimsVersion, readDefinitions, upstreamVersion } from './definitions.js';

describe("the sandbox's images", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'cc-ci-images-'));
    await put('base/image.json', '{ "tags": ["x/base:1"] }');
    await put('base/rootfs.sh', 'true');
    await put('app/image.json', '{ "tags": ["app:1.0", "app:1"], "package": "app" }');
    await put('app/Dockerfile', '# an app\nFROM x/base:1\nRUN true\n');
  });
  afterEach(() => rm(root, { recursive: true }));
  const put = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  const hashes = async () =>
    Object.fromEntries([...(await readDefinitions(root)).values()].map(({ name, hash }) => [name, hash]));

  it('come each after the one it is built on', async () => {
    const definitions = await readDefinitions(root);
    expect([...definitions.keys()]).to.deep.equal(['base', 'app']);
    expect(definitions.get('base')?.parent).to.equal(undefined);
    expect(definitions.get('app')).to.deep.include({
      parent: 'base',
      tags: ['app:1.0', 'app:1'],
      package: 'app',
    });
  });

  it('have a hash that changes with their files and with what they are built on, and with nothing else', async () => {
    const before = await hashes();
    expect(await hashes()).to.deep.equal(before);
    await put('app/deep/file', 'x');
    const edited = await hashes();
    expect(edited.base).to.equal(before.base);
    expect(edited.app).to.not.equal(before.app);
    await put('base/rootfs.sh', 'false');
    const lower = await hashes();
    expect(lower.base).to.not.equal(edited.base);
    expect(lower.app).to.not.equal(edited.app);
  });

  it('are refused when one is built on nothing of ours, on itself, or has no manifest', async () => {
    const complaint = async () => (await readDefinitions(root).catch((error) => error)).message;
    await put('app/Dockerfile', 'FROM debian:stable\n');
    expect(await complaint()).to.equal("image app is built on debian:stable, which is none of the sandbox's");
    await put('app/Dockerfile', 'FROM app:1\n');
    expect(await complaint()).to.equal('image app is built on itself');
    await put('other/Dockerfile', 'FROM x/base:1\n');
    expect(await complaint()).to.match(/other has no image\.json$/);
  });

  it('are named by the upstream version of their package', () => {
    const versions = {
      '1.22.1-9+deb12u10': '1.22.1',
      '3.1.8-2': '3.1.8',
      '1:10.11.19+ds-1': '10.11.19',
      '20.10.24+dfsg1-1+deb12u1': '20.10.24',
      '1.24.0-2ubuntu7.1': '1.24.0',
      '2.0': '2.0',
    };
    for (const [full, upstream] of Object.entries(versions))
      expect(upstreamVersion(full), full).to.equal(upstream);
  });

  it('keep what a tag claims when it names the version or the beginning of it', () => {
    for (const tag of ['nginx:1.22.1', 'nginx:1.22', 'nginx:1', 'registry.test:5000/nginx:1.22'])
      expect(claimsVersion(tag, '1.22.1'), tag).to.equal(true);
    for (const tag of ['nginx:1.22.10', 'nginx:1.2', 'nginx:2', 'nginx:latest', 'nginx'])
      expect(claimsVersion(tag, '1.22.1'), tag).to.equal(false);
  });

  it('are all there: what the folder in the repository says can be read', async () => {
    const definitions = await readDefinitions();
    expect([...definitions.keys()]).to.include.members(['base', 'mariadb', 'nginx', 'radicale', 'wordpress']);
  });
});
