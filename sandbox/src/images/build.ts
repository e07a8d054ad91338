import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunOptions, run } from '@cc-ci/core';
import { type AptSetup, runAsRoot } from './apt.js';
import { claimsVersion, type ImageDefinition, upstreamVersion } from './definitions.js';

/** Labels by which an image that was built here is known again. */
export const HASH_LABEL = 'cc-ci.sandbox.hash';
export const SOURCES_LABEL = 'cc-ci.sandbox.sources';
const VERSION_LABEL = 'org.opencontainers.image.version';
const PACKAGE_LABEL = 'cc-ci.sandbox.package';

const BUILD_TIMEOUT_MS = 10 * 60_000;
const QUERY_TIMEOUT_MS = 30_000;

/** What a build needs to know and where it says what it does. */
export interface BuildContext {
  apt: AptSetup;
  /** Hash of the archives that `apt` names. */
  sources: string;
  say: (line: string) => void;
  signal: AbortSignal | undefined;
}

const within = (context: BuildContext, timeoutMs: number): RunOptions => ({
  timeoutMs,
  ...(context.signal ? { signal: context.signal } : {}),
  env: context.apt.proxy === undefined ? process.env : { ...process.env, http_proxy: context.apt.proxy },
});

/** Makes the base image with debootstrap, which needs root. */
export async function buildBase(image: ImageDefinition, context: BuildContext): Promise<void> {
  const { apt } = context;
  context.say(`${image.tags[0]}: debootstrap ${apt.suite}`);
  const work = await mkdtemp(join(tmpdir(), 'cc-ci-base-'));
  try {
    const overlay = join(work, 'overlay');
    await cp(join(image.folder, 'overlay'), overlay, { recursive: true });
    await mkdir(join(overlay, 'etc/apt/apt.conf.d'), { recursive: true });
    await writeFile(join(overlay, 'etc/apt/sources.list'), apt.sourcesList);
    await writeFile(join(overlay, 'etc/apt/apt.conf.d/archives'), `${apt.options.join('\n')}\n`);
    const tar = join(work, 'rootfs.tar');
    const script = join(image.folder, 'rootfs.sh');
    const components = apt.components.join(',');
    await runAsRoot(
      'bash',
      [script, apt.suite, apt.mirror, components, apt.packages.join(','), overlay, tar],
      within(context, BUILD_TIMEOUT_MS),
    );
    const changes = [
      'CMD ["bash"]',
      `LABEL ${HASH_LABEL}=${image.hash}`,
      `LABEL ${SOURCES_LABEL}=${context.sources}`,
      `LABEL ${VERSION_LABEL}=${apt.suite}`,
    ].flatMap((change) => ['--change', change]);
    await run('docker', ['import', ...changes, tar, image.tags[0]], within(context, QUERY_TIMEOUT_MS));
    for (const tag of image.tags.slice(1)) {
      await run('docker', ['tag', image.tags[0], tag], within(context, QUERY_TIMEOUT_MS));
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Builds an image from its Dockerfile and labels it with the version its package really has: a newer distribution
 * brings a newer one under the tag that the sample recipes name, and nothing may hide that.
 */
export async function buildImage(image: ImageDefinition, context: BuildContext): Promise<void> {
  const builder = await builderEnvironment(context);
  const proxy = context.apt.proxy === undefined ? [] : ['--build-arg', 'http_proxy'];
  const intermediate = `cc-ci/building:${image.name}-${image.hash.slice(0, 12)}`;
  context.say(`${image.tags[0]}: docker build`);
  // apt in the build uses the host's resolver and, where there is one, its proxy on localhost.
  await run(
    'docker',
    ['build', '--force-rm', '--network', 'host', ...proxy, '--tag', intermediate, image.folder],
    builder,
  );
  const labels = { [HASH_LABEL]: image.hash, ...(await versionLabels(image, intermediate, context)) };
  await run(
    'docker',
    [
      'build',
      ...image.tags.flatMap((tag) => ['--tag', tag]),
      ...Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
      '-',
    ],
    { ...builder, input: `FROM ${intermediate}\n` },
  );
  await run('docker', ['image', 'rm', intermediate], within(context, QUERY_TIMEOUT_MS));
}

async function versionLabels(image: ImageDefinition, tag: string, context: BuildContext) {
  if (image.package === undefined) return {};
  const query = ['--entrypoint', 'dpkg-query', tag, '--show', '--showformat', '${Version}', image.package];
  const { stdout } = await run(
    'docker',
    ['run', '--rm', '--network', 'none', ...query],
    within(context, QUERY_TIMEOUT_MS),
  );
  const version = upstreamVersion(stdout.trim());
  for (const wanted of image.tags.filter((name) => !claimsVersion(name, version))) {
    context.say(`${wanted}: is really ${image.package} ${version}, the one that ${context.apt.suite} brings`);
  }
  return { [VERSION_LABEL]: version, [PACKAGE_LABEL]: `${image.package} ${stdout.trim()}` };
}

/** BuildKit is a plug-in of newer clients: without it they must be told to build as they used to. */
async function builderEnvironment(context: BuildContext): Promise<RunOptions> {
  const options = within(context, BUILD_TIMEOUT_MS);
  const buildx = await run('docker', ['buildx', 'version'], {
    ...options,
    okCodes: [0, 1, 125],
    timeoutMs: QUERY_TIMEOUT_MS,
  });
  const env = options.env ?? process.env;
  // The default builder is the engine itself: the only one that sees local images.
  return {
    ...options,
    env: { ...env, ...(buildx.exitCode === 0 ? { BUILDX_BUILDER: 'default' } : { DOCKER_BUILDKIT: '0' }) },
  };
}
