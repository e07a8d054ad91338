import { access, chmod, constants, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CommandFailedError, run, ToolMissingError } from '@cc-ci/core';

/** An image of a few megabytes for tests: busybox and nothing else. */
const TINY_IMAGE = 'cc-ci/tiny:1';

const NEEDED = ['httpd', 'sh', 'sleep', 'tar', 'wget'];

const GET_BUSYBOX = { hint: 'apt-get install busybox-static, or run ./setup' };

/**
 * Makes the image `cc-ci/tiny:1` where it is not there yet: `/bin/busybox` with all its applets (sh, httpd, sleep,
 * tar, wget, ...), `/tmp`, and users root and nobody. It ends its main process only by SIGKILL or SIGINT: say
 * `stop_signal: SIGKILL` in a stack.
 * @returns the image's name
 * @throws ToolMissingError when there is no statically linked busybox
 */
export async function ensureTinyImage(): Promise<string> {
  const known = await run('docker', ['image', 'inspect', TINY_IMAGE], { okCodes: [0, 1], keep: 1 });
  if (known.exitCode !== 0) await build(TINY_IMAGE);
  return TINY_IMAGE;
}

async function build(image: string): Promise<void> {
  const busybox = await findBusybox();
  const folder = await mkdtemp(join(tmpdir(), 'cc-ci-tiny-'));
  try {
    const root = join(folder, 'root');
    await mkdir(join(root, 'bin'), { recursive: true });
    await mkdir(join(root, 'etc'));
    await mkdir(join(root, 'tmp'));
    await chmod(join(root, 'tmp'), 0o1777);
    await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n');
    await copyFile(busybox, join(root, 'bin/busybox'));
    const { stdout } = await run(busybox, ['--list']);
    const applets = stdout.split('\n').filter((name) => name && name !== 'busybox');
    const missing = NEEDED.filter((name) => !applets.includes(name));
    if (missing.length > 0) throw new ToolMissingError(`${busybox} lacks ${missing.join(', ')}`, GET_BUSYBOX);
    await Promise.all(applets.map((name) => symlink('busybox', join(root, 'bin', name))));
    const archive = join(folder, 'root.tar');
    await run('tar', ['--create', '--file', archive, '--owner=0', '--group=0', '--directory', root, '.']);
    await importChecked(archive, image);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Gives the image its name only once it has run: a dynamically linked busybox finds no libraries in it. */
async function importChecked(archive: string, image: string): Promise<void> {
  const change = ['--change', 'ENV PATH=/bin', '--change', 'CMD ["sleep","infinity"]'];
  const { stdout } = await run('docker', ['import', ...change, archive]);
  const id = stdout.trim();
  try {
    await run('docker', ['run', '--rm', '--network', 'none', id, 'true']);
  } catch (error) {
    await run('docker', ['image', 'rm', id]);
    if (!(error instanceof CommandFailedError)) throw error;
    throw new ToolMissingError('the busybox on PATH is not statically linked', GET_BUSYBOX);
  }
  await run('docker', ['tag', id, image]);
}

async function findBusybox(): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'busybox');
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new ToolMissingError('no busybox on PATH', GET_BUSYBOX);
}
