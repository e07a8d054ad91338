import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError, run } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { ensureImages } from './index.js';

const OURS = fileURLToPath(new URL('../../images/', import.meta.url));

describe('building the images', function () {
  this.timeout(300_000);
  const tag = `cc-ci-test/${randomBytes(4).toString('hex')}:1.2.3`;
  let folder: string;
  const said: string[] = [];
  const ensure = async (names = ['probe']) => {
    said.length = 0;
    await ensureImages(names, { folder, onProgress: (line) => said.push(line) });
  };
  const inspect = async (format: string, name = tag) =>
    (await run('docker', ['image', 'inspect', '--format', format, name])).stdout.trim();
  const inside = async (image: string, ...argv: string[]) =>
    (
      await run('docker', ['run', '--rm', '--network', 'none', image, ...argv], { okCodes: [0, 1] })
    ).stdout.trim();

  before(async () => {
    await ensureImages(['nginx']);
    // Our own base with one more image on it.
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-images-'));
    await cp(join(OURS, 'base'), join(folder, 'base'), { recursive: true });
    await mkdir(join(folder, 'probe'));
    await writeFile(join(folder, 'probe/image.json'), JSON.stringify({ tags: [tag], package: 'bash' }));
    await writeFile(join(folder, 'probe/Dockerfile'), 'FROM cc-ci/base:1\nCOPY greeting /\n');
    await writeFile(join(folder, 'probe/greeting'), 'hello');
  });
  after(async () => {
    await run('docker', ['image', 'rm', '--force', tag], { okCodes: [0, 1] });
    await rm(folder, { recursive: true });
  });

  it('builds what is missing, once, however many ask at the same time', async () => {
    await Promise.all([ensure(), ensure(), ensure()]);
    expect(await inside(tag, 'cat', '/greeting')).to.equal('hello');
    expect(said.filter((line) => line === `${tag}: docker build`)).to.have.length(1);
    expect(said.at(-1)).to.match(/: built in \d+\.\d s, \d+ MB$/);
  });

  it('labels it with the version its package really has, and says where the tag claims another', async () => {
    const real = await inside(tag, 'dpkg-query', '--show', '--showformat', '${Version}', 'bash');
    const version = await inspect('{{index .Config.Labels "org.opencontainers.image.version"}}');
    expect(real).to.satisfy((text: string) => text.startsWith(version));
    expect(await inspect('{{index .Config.Labels "cc-ci.sandbox.package"}}')).to.equal(`bash ${real}`);
    expect(said.join('\n')).to.include(`${tag}: is really bash ${version}, the one that`);
  });

  it('does nothing, and quickly, when all is there', async () => {
    const id = await inspect('{{.Id}}');
    const started = performance.now();
    await ensure();
    expect(performance.now() - started).to.be.lessThan(1_000);
    expect(said).to.deep.equal([]);
    expect(await inspect('{{.Id}}')).to.equal(id);
  });

  it('builds again what has been edited, and takes the old one away', async () => {
    const old = await inspect('{{.Id}}');
    await writeFile(join(folder, 'probe/greeting'), 'good evening');
    await ensure();
    expect(await inside(tag, 'cat', '/greeting')).to.equal('good evening');
    const gone = await run('docker', ['image', 'inspect', old], { okCodes: [0, 1] });
    expect(gone.exitCode).to.equal(1);
  });

  it('leaves an image of the same name alone that it has not built', async () => {
    await run('docker', ['image', 'rm', tag]);
    const emptyTar = Buffer.alloc(1024);
    await run('docker', ['import', '--message', 'from elsewhere', '-', tag], { input: emptyTar });
    await ensure();
    expect(said).to.deep.equal([]);
    expect(await inspect('{{.Comment}}')).to.equal('from elsewhere');
  });

  it('shows what the build said when it fails, and leaves no tag', async () => {
    await run('docker', ['image', 'rm', tag]);
    await writeFile(join(folder, 'probe/Dockerfile'), 'FROM cc-ci/base:1\nRUN echo the reason >&2; exit 3\n');
    const error = await ensure().catch((thrown) => thrown);
    expect(error.message).to.include('the reason');
    expect((await run('docker', ['image', 'inspect', tag], { okCodes: [0, 1] })).exitCode).to.equal(1);
  });

  it('refuses a name that has no folder', async () => {
    const error = await ensure(['probe', 'mariadb']).catch((thrown) => thrown);
    expect(error).to.be.instanceOf(InputError);
    expect(error.hint).to.equal('there are: base, probe');
  });

  it('puts nothing of this machine into them but the addresses of its package archives', async () => {
    const image = 'nginx:1.22.1';
    expect(await inside(image, 'find', '/usr/local/share', '/root', '/home', '/srv', '-type', 'f')).to.match(
      /^(\/root\/\.(bashrc|profile)\s?)*$/,
    );
    expect(await inside(image, 'find', '/etc', '/usr', '-name', '*.key', '-o', '-name', '*_key')).to.equal(
      '',
    );
    expect(await inside(image, 'apt-config', 'dump', '--format', '%v', 'Acquire::http::Proxy')).to.equal('');
    const sources = await inside(
      image,
      'sh',
      '-c',
      'cat /etc/apt/sources.list; ls -A /etc/apt/sources.list.d',
    );
    for (const line of sources.split('\n'))
      expect(line).to.match(/^deb \[signed-by=[^\]]+\] https?:\/\/[^@ ]+( [\w-]+)+$/);
    const history = await run('docker', ['history', '--no-trunc', '--format', '{{.CreatedBy}}', image]);
    expect(history.stdout).to.not.match(/proxy/i);
  });
});
