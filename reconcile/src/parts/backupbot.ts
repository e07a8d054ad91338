import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readFileIfAny } from '@cc-ci/core';
import type { Part } from '../part.js';
import { type Deployer, recipeAppPart } from '../recipe-app/part.js';
import type { Given } from '../recipe-app/recipe-app.js';
import { writeSecret } from '../secret-file.js';

export interface BackupbotOptions {
  zone: string;
  /** Folder of root where the repository's password is kept. */
  hostDir: string;
  /** The published version of the recipe; undefined: the one that is deployed, or else the newest. */
  version: string | undefined;
}

/** The recipe's volume is mounted at /backups (abra contract 6.2: its default repository is /backups/restic). */
const REPOSITORY = '/backups/restic';
const DIGEST_LENGTH = 8;
const PASSWORD_BYTES = 32;

/**
 * backup-bot-two with a restic repository in its own volume. The repository and the secret are named by the password's
 * fingerprint: a password that was lost with the host's folder leaves a repository that nobody can open, and a new one
 * is begun beside it, without a hand.
 */
export function backupbotPart(deployer: Deployer, options: BackupbotOptions): Part {
  return recipeAppPart('backupbot', ['swarm'], deployer, {
    recipe: 'backup-bot-two',
    // It serves nothing: this is only its name.
    domain: `backup.${options.zone}`,
    composeFiles: ['compose.yml'],
    version: options.version,
    given: () => givenBy(join(options.hostDir, 'restic-password')),
  });
}

async function givenBy(file: string): Promise<Given> {
  const password = (await readFileIfAny(file))?.trim();
  if (!password) {
    return {
      kind: 'unmade',
      found: `there is no password of a restic repository in ${file}`,
      plan: 'make one',
      make: () => writeSecret(file, `${randomBytes(PASSWORD_BYTES).toString('hex')}\n`),
    };
  }
  const digest = createHash('sha256').update(password).digest('hex').slice(0, DIGEST_LENGTH);
  return {
    kind: 'known',
    env: { RESTIC_REPOSITORY: `${REPOSITORY}-${digest}` },
    secrets: [{ key: 'restic_password', version: `v${digest}`, data: Buffer.from(password) }],
  };
}
