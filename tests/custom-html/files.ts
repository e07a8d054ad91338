import { app } from '@cc-ci/runner/harness';

/** Where the volume with the site's files is mounted. */
export const ROOT = '/usr/share/nginx/html';

/** Writes a file of the site. @param path below its root; folders are made */
export async function writeSiteFile(path: string, text: string): Promise<void> {
  const script = 'mkdir -p "$(dirname "$2")" && printf %s "$1" > "$2"';
  await app.exec('app', ['sh', '-c', script, 'sh', text, `${ROOT}/${path}`]);
}

/** Takes files or folders of the site away; one that is not there is fine. */
export async function removeSiteFiles(...paths: string[]): Promise<void> {
  await app.exec('app', ['rm', '-rf', '--', ...paths.map((path) => `${ROOT}/${path}`)]);
}

/** Paths of all files of the site, sorted. */
export async function listSiteFiles(): Promise<string[]> {
  const { stdout } = await app.exec('app', ['find', ROOT, '-type', 'f', '-printf', '%P\\n']);
  return stdout.split('\n').filter(Boolean).sort();
}
