import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addUser,
  createForge,
  createOrganisation,
  createRecipeRepository,
  type Organisation,
  publishRecipe,
  startForge,
} from '@cc-ci/sandbox';
import { freePort } from '../demo/services.js';

/** A sandbox forge with an organisation of one recipe, and the settings of a bridge that watches it. */
export interface WatchedForge {
  dir: string;
  org: Organisation;
  env: NodeJS.ProcessEnv;
  /** The secret of its webhook; the file is in `env`. */
  hookSecret: string;
  stopForge(): Promise<void>;
  close(): Promise<void>;
}

export async function watchForge(): Promise<WatchedForge> {
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-watched-'));
  const forge = createForge({ dataDir: join(dir, 'forge') });
  const admin = { login: 'root', password: 'correct-horse-battery' };
  await addUser(forge, { ...admin, admin: true });
  const server = await startForge(forge, { host: '127.0.0.1', port: 0 });
  const org = await createOrganisation(server.url, admin, 'coop-cloud');
  const recipe = await createRecipeRepository('custom-html', join(dir, 'recipe'));
  await publishRecipe(org, 'custom-html', recipe.dir);
  const hookSecret = 'hook-secret-5d20';
  await writeFile(join(dir, 'token'), org.bot.token);
  await writeFile(join(dir, 'hook-secret'), hookSecret);
  let running = true;
  const stopForge = async () => {
    if (running) await server.close();
    running = false;
  };
  return {
    dir,
    org,
    hookSecret,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      CC_CI_STATE_DIR: join(dir, 'state'),
      CC_CI_FORGE_URL: server.url,
      CC_CI_FORGE_TOKEN_FILE: join(dir, 'token'),
      CC_CI_HOOK_SECRET_FILE: join(dir, 'hook-secret'),
      CC_CI_ORG: org.name,
      CC_CI_BRIDGE_LISTEN: `127.0.0.1:${await freePort(0)}`,
    },
    stopForge,
    async close() {
      await stopForge();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
