import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryLock } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { ensurePart, findPart } from './build.js';
import { PART_NAMES, PARTS, requiredVersion, saidVersion } from './definitions.js';
import { checkBuild, noteChecksum, partPlace, partsCache } from './folders.js';
import { findOnPath } from './on-path.js';

describe('parts', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-parts-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const program = async (path: string, says: string) => {
    await writeFile(path, `#!/bin/sh\n${says}\n`);
    await chmod(path, 0o755);
  };

  it('are pinned by a go.mod each, at versions that an installed one may also have', async () => {
    const pinned = await Promise.all(
      PART_NAMES.map(async (name) => [name, (await partPlace(name, folder)).version] as const),
    );
    expect(Object.fromEntries(pinned)).to.deep.equal({
      gitea: '1.23.8',
      drone: '1.10.1',
      traefik: '3.6.12',
      sops: '3.13.3',
    });
    for (const [name, version] of pinned) expect(version).to.match(PARTS[name].accepts);
  });

  it('read the version from every form of require', () => {
    expect(requiredVersion('require example.org/a v1.2.3\n', 'example.org/a')).to.equal('1.2.3');
    const block = 'require (\n\texample.org/a/b v2.0.0\n\texample.org/a v1.0.0 // indirect\n)\n';
    expect(requiredVersion(block, 'example.org/a')).to.equal('1.0.0');
    expect(() => requiredVersion('module example.org/a\n', 'example.org/a')).to.throw('no version');
  });

  it('understand how programs say their version', () => {
    expect(saidVersion('Gitea version 1.23.8 built with GNU Make')).to.equal('1.23.8');
    expect(saidVersion('Version:      v3.6.12\nCodename: x')).to.equal('3.6.12');
    expect(saidVersion('development')).to.equal(undefined);
  });

  it('are kept in the cache of the user', () => {
    expect(partsCache({ XDG_CACHE_HOME: '/var/c' })).to.equal('/var/c/cc-ci/parts');
    expect(partsCache({})).to.match(/\/\.cache\/cc-ci\/parts$/);
  });

  it('that are installed do instead, in a version that does', async () => {
    const env = { PATH: `${folder}:/usr/bin:/bin` };
    expect(await findOnPath('traefik', undefined, env)).to.equal(undefined);
    await program(join(folder, 'traefik'), 'echo "Version: 3.6.1"');
    expect(await findOnPath('traefik', undefined, env)).to.deep.equal({
      executable: join(folder, 'traefik'),
      version: '3.6.1',
    });
    const said: string[] = [];
    await program(join(folder, 'traefik'), 'echo "Version: 2.11.0"');
    expect(await findOnPath('traefik', (text) => said.push(text), env)).to.equal(undefined);
    await program(join(folder, 'traefik'), 'echo broken >&2; exit 3');
    expect(await findOnPath('traefik', (text) => said.push(text), env)).to.equal(undefined);
    expect(said[0]).to.contain('is 2.11.0').and.contain('not used');
    expect(said[1]).to.contain('broken').and.contain('not used');
  });

  it('that were built are what they were, or are named damaged', async () => {
    expect(await checkBuild(folder, 'sops')).to.equal('missing');
    await program(join(folder, 'sops'), 'echo 3.13.3');
    expect(await checkBuild(folder, 'sops')).to.equal('missing');
    await noteChecksum(folder, 'sops');
    expect(await checkBuild(folder, 'sops')).to.equal('sound');
    expect(await readFile(join(folder, 'SHA256SUMS'), 'utf8')).to.match(/^[0-9a-f]{64} {2}sops\n$/);
    await program(join(folder, 'sops'), 'echo 3.13.4');
    expect(await checkBuild(folder, 'sops')).to.equal('damaged');
  });

  describe('with a Go that stands in', () => {
    const path = process.env.PATH;
    let cache: string;
    beforeEach(async () => {
      cache = join(folder, 'cache');
      // As `go build` it writes a program that says the version, as `go list -m` it names a module's folder.
      await mkdir(join(folder, 'bin'));
      await program(
        join(folder, 'bin', 'go'),
        `echo "$*" >> ${folder}/asked
case "$1" in
list) echo ${folder}/module ;;
build) echo example.org/one >&2; echo example.org/two/v2 >&2; cat ${folder}/fails 2>/dev/null && exit 1
  while [ "$1" != -o ]; do shift; done; mkdir -p "$(dirname "$2")"
  printf '#!/bin/sh\\necho 3.13.3\\n' > "$2"; chmod 755 "$2" ;;
esac`,
      );
      process.env.PATH = `${join(folder, 'bin')}:${path}`;
    });
    afterEach(() => {
      process.env.PATH = path;
    });
    const asked = async () => (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n');

    it('are built once, whole or not at all, and found from then on', async () => {
      expect(await findPart('sops', { cache })).to.equal(undefined);
      await writeFile(join(folder, 'fails'), 'out of memory');
      const failed = await ensurePart('sops', { cache }).catch((error: Error) => error.message);
      expect(failed).to.contain('out of memory');
      expect(await findPart('sops', { cache })).to.equal(undefined);
      await rm(join(folder, 'fails'));
      const said: string[] = [];
      const options = { cache, say: (text: string) => said.push(text) };
      const [part, again] = await Promise.all([ensurePart('sops', options), ensurePart('sops', options)]);
      expect(part).to.deep.equal(again);
      expect(part).to.deep.equal(await findPart('sops', { cache }));
      expect((await asked()).filter((line) => line.startsWith('build'))).to.have.length(2);
      expect(said.join('\n')).to.match(/building\n(.*\n)*.*built in \d+ s/);
      const { folder: place } = await partPlace('sops', cache);
      expect(await readdir(join(cache, 'sops'))).to.deep.equal([place.split('/').pop()]);
    });

    it('that are damaged are refused, and built again', async () => {
      const part = await ensurePart('sops', { cache });
      await writeFile(part.executable, 'something else');
      const refused = await findPart('sops', { cache }).catch((error: Error) => error.message);
      expect(refused).to.contain('its checksum differs');
      await ensurePart('sops', { cache });
      expect(await findPart('sops', { cache })).to.deep.equal(part);
    });

    it('wait for another process that builds the same', async () => {
      const held = tryLock(join(cache, 'sops.lock'));
      let told: () => void = () => {};
      const waits = new Promise<void>((resolve) => {
        told = resolve;
      });
      const part = ensurePart('sops', { cache, say: (text) => void (text.includes('waiting') && told()) });
      await waits;
      held?.release();
      expect((await part).version).to.equal('3.13.3');
    });
  });
});
