import { readFile } from 'node:fs/promises';
import { CcCiError, type RunOptions, run, ToolMissingError } from '@cc-ci/core';

/** Where this machine gets its packages, as apt itself is set up: enough to make an image that gets them there too. */
export interface AptSetup {
  distribution: 'debian' | 'ubuntu';
  /** Release name: bookworm, noble, ... */
  suite: string;
  /** The archive that debootstrap reads. */
  mirror: string;
  components: string[];
  /** Packages that the image needs to reach the archives at all. */
  packages: string[];
  /** sources.list for the image: the distribution's own archives, without what else this machine has added. */
  sourcesList: string;
  /** Settings of the archives' freshness (a mirror of a past day needs them), in apt.conf's form. */
  options: string[];
  /** HTTP proxy that apt uses, or undefined. May hold a password: for environments, never for arguments. */
  proxy: string | undefined;
}

interface Target {
  codename: string;
  release: string;
  component: string;
  uri: string;
}

const TARGET_FORMAT = '$(ORIGIN)|$(CODENAME)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)';
const QUERY: RunOptions = { timeoutMs: 30_000 };

/**
 * Asks apt how it is set up.
 * @throws CcCiError on a machine that is neither Debian nor Ubuntu, or whose archives cannot be used in an image
 */
export async function askApt(): Promise<AptSetup> {
  const { distribution, suite } = parseOsRelease(await readFile('/etc/os-release', 'utf8').catch(() => ''));
  let targets = await ownTargets(distribution, suite);
  if (targets.length === 0) {
    // A machine whose package lists were cleaned away does not know what it is connected to.
    await runAsRoot('apt-get', ['update', '-qq'], { timeoutMs: 120_000 });
    targets = await ownTargets(distribution, suite);
  }
  const [options, proxy] = await Promise.all([freshnessOptions(), aptProxy()]);
  const resolved = await Promise.all(
    targets.map(async (target) => ({ ...target, uri: await plainUri(target.uri) })),
  );
  return describeSources(distribution, suite, resolved, options, proxy);
}

async function ownTargets(distribution: AptSetup['distribution'], suite: string): Promise<Target[]> {
  const args = ['indextargets', '--format', TARGET_FORMAT, 'Created-By: Packages'];
  try {
    return parseTargets((await run('apt-get', args, QUERY)).stdout, distribution, suite);
  } catch (error) {
    if (!(error instanceof ToolMissingError)) throw error;
    throw new CcCiError(
      'the base image is made from Debian or Ubuntu packages, and this machine has no apt',
      {
        hint: 'run it on Debian or Ubuntu, or bring the images cc-ci/base:1, nginx:1.22.1, ... by docker load',
        cause: error,
      },
    );
  }
}

/** Distribution and release name out of /etc/os-release; a derivative of Ubuntu counts as the Ubuntu it stands on. */
export function parseOsRelease(text: string): Pick<AptSetup, 'distribution' | 'suite'> {
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  const ubuntu = field('UBUNTU_CODENAME');
  if (ubuntu) return { distribution: 'ubuntu', suite: ubuntu };
  const suite = field('VERSION_CODENAME');
  if (field('ID') === 'debian' && suite) return { distribution: 'debian', suite };
  throw new CcCiError(
    `this machine runs ${field('PRETTY_NAME') || 'an unknown system'}; images are made on Debian or Ubuntu`,
    { hint: 'bring the images from such a machine: docker save there, docker load here' },
  );
}

/** The distribution's own archives of its release (with -updates and -security), out of `apt-get indextargets`. */
export function parseTargets(text: string, distribution: AptSetup['distribution'], suite: string): Target[] {
  // Debian's parts have codenames of their own; Ubuntu's all carry the release's, and backports must stay out.
  const codenames = new Set([suite, `${suite}-updates`, `${suite}-security`]);
  return text.split('\n').flatMap((line) => {
    const [origin = '', codename = '', release = '', component = '', uri = ''] = line.split('|');
    const wanted = codenames.has(codename) && !/-(backports|proposed)/.test(release);
    return origin.toLowerCase() === distribution && wanted ? [{ codename, release, component, uri }] : [];
  });
}

/** `mirror+file:` (as cloud images have) points at a list of mirrors: its first line is the one to use. */
export async function plainUri(uri: string): Promise<string> {
  const list = /^mirror\+file:(?:\/\/)?(\/.*?)\/?$/.exec(uri)?.[1];
  if (list === undefined) return uri;
  const lines = (await readFile(list, 'utf8')).split('\n').map((line) => line.trim());
  const first = lines.find((line) => line && !line.startsWith('#'))?.split(/\s/)[0];
  if (first === undefined) throw new CcCiError(`apt's list of mirrors ${list} names none`);
  return first.endsWith('/') ? first : `${first}/`;
}

/** @throws CcCiError when no archive of the release itself can be reached from an image */
export function describeSources(
  distribution: AptSetup['distribution'],
  suite: string,
  targets: Target[],
  options: string[],
  proxy: string | undefined,
): AptSetup {
  const usable = targets.filter((target) => /^https?:\/\/[^@]+$/.test(target.uri));
  const main = usable.find(
    (target) => target.codename === suite && target.component === 'main' && !target.release.includes('-'),
  );
  if (main === undefined) {
    const why = targets.length > 0 ? 'only ones with a password or without http' : 'none';
    throw new CcCiError(`apt knows no archive of ${distribution} ${suite} that an image could use (${why})`, {
      hint: 'give apt an http(s) mirror without a password in its address, then apt-get update',
    });
  }
  const signedBy = `/usr/share/keyrings/${distribution}-archive-keyring.gpg`;
  const lines = usable.map(
    ({ uri, release, component }) => `deb [signed-by=${signedBy}] ${uri} ${release} ${component}`,
  );
  return {
    distribution,
    suite,
    mirror: main.uri,
    components: [...new Set(usable.map((target) => target.component))].sort(),
    packages: usable.some((target) => target.uri.startsWith('https:')) ? ['ca-certificates'] : [],
    sourcesList: `${[...new Set(lines)].join('\n')}\n`,
    options,
    proxy,
  };
}

async function freshnessOptions(): Promise<string[]> {
  const names = ['Acquire::Check-Valid-Until', 'Acquire::Check-Date'];
  const { stdout } = await run('apt-config', ['dump', '--format', '%f "%v";%n', ...names], QUERY);
  return stdout
    .split('\n')
    .filter((line) => names.some((name) => line.startsWith(`${name} "`)) && !line.endsWith('"";'));
}

async function aptProxy(): Promise<string | undefined> {
  const fromEnvironment = process.env.http_proxy ?? process.env.HTTP_PROXY;
  if (fromEnvironment) return fromEnvironment;
  const { stdout } = await run('apt-config', ['dump', '--format', '%v%n', 'Acquire::http::Proxy'], QUERY);
  return stdout.split('\n').find((line) => /^https?:/.test(line));
}

/** Runs a program as root: directly, or through sudo where it asks for no password. */
export async function runAsRoot(file: string, args: readonly string[], options: RunOptions): Promise<void> {
  if (process.getuid?.() === 0) {
    await run(file, args, options);
    return;
  }
  try {
    await run('sudo', ['-n', '--preserve-env=http_proxy,https_proxy,no_proxy', file, ...args], options);
  } catch (error) {
    if (!(error instanceof ToolMissingError)) throw error;
    throw new ToolMissingError(`${file} must run as root, and there is no sudo`, {
      hint: 'run ./setup as root once',
      cause: error,
    });
  }
}
