import { fileURLToPath } from 'node:url';

/**
 * The stand-in's executable: a command line with abra's argv, messages and exit codes that works against the local
 * Docker Swarm. Besides `ABRA_DIR` it reads
 * - `ABRA_STANDIN_ORIGIN`: where recipes are cloned from, the URL in front of `<recipe>.git`;
 * - `ABRA_STANDIN_BACKUPS`: a folder for snapshots, which stands for a deployed backup-bot-two; without it `backup`
 *   and `restore` fail as where no bot is;
 * - `ABRA_STANDIN_AWKWARD`: what it is to make harder than it need be, as other versions of abra do (awkward.ts).
 * It needs git, tar and the Docker client (20.10 or newer) on PATH. Images are never looked up in a registry.
 */
export const ABRA_EXECUTABLE = fileURLToPath(new URL('../../bin/abra', import.meta.url));

/**
 * Removes the stand-in's snapshots of one stack: `forget-snapshots <stack>`, with ABRA_STANDIN_BACKUPS as above. abra has
 * no command for it; where a real bot is, restic inside its container does this.
 */
export const FORGET_SNAPSHOTS_EXECUTABLE = fileURLToPath(
  new URL('../../bin/forget-snapshots', import.meta.url),
);

export { STANDIN_VERSION } from './program.js';
