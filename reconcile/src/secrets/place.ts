import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { folderNames, InputError } from '@cc-ci/core';
import { RULES_FILE } from './sops.js';

/** A file of secrets, and the folder whose rules say who can decrypt it. */
export interface SecretsPlace {
  /** The folder of `.sops.yaml`. */
  root: string;
  /** Relative to it, as its rules see it. */
  file: string;
}

/**
 * The secrets of a host, `hosts/<host>/secrets.yaml` in the repository that `cwd` is in; or another file.
 * @throws InputError when `cwd` is in no such repository, or there is more than one host and none was named
 */
export async function findPlace(
  cwd: string,
  { host, file }: { host?: string | undefined; file?: string | undefined } = {},
): Promise<SecretsPlace> {
  if (host !== undefined && file !== undefined)
    throw new InputError('both a host and a file are named', { hint: 'leave one out' });
  const root = rulesFolder(cwd);
  if (file !== undefined) {
    const path = relative(root, resolve(cwd, file));
    if (path.startsWith('..'))
      throw new InputError(`${file} is not below ${root}, whose rules say who can decrypt it`);
    return { root, file: path };
  }
  const hosts = await folderNames(join(root, 'hosts'));
  if (host !== undefined && !hosts.includes(host)) {
    throw new InputError(`there is no host ${host}`, {
      hint: `there are ${hosts.join(', ') || 'none'} below ${join(root, 'hosts')}`,
    });
  }
  const [only, ...others] = host === undefined ? hosts : [host];
  if (only === undefined || others.length > 0) {
    throw new InputError(
      only === undefined ? `there is no host below ${join(root, 'hosts')}` : 'which host?',
      {
        hint: `name one with --host${only === undefined ? ', or a file with --file' : `: ${hosts.join(', ')}`}`,
      },
    );
  }
  return { root, file: join('hosts', only, 'secrets.yaml') };
}

function rulesFolder(cwd: string): string {
  let folder = resolve(cwd);
  while (!existsSync(join(folder, RULES_FILE))) {
    if (folder === dirname(folder)) {
      throw new InputError(`there is no ${RULES_FILE} in ${resolve(cwd)} or above`, {
        hint: 'run this in a clone of the repository the host is made from',
      });
    }
    folder = dirname(folder);
  }
  return folder;
}
