import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@cc-ci/core';
import { addUser } from '../directory.js';
import { createForge, type Forge } from '../forge.js';
import { type ForgeServer, startForge } from '../server.js';
import type { ForgeUnderTest } from './scene.js';

/** A sandbox forge with its administrator, listening on a free port. */
export interface SandboxForge extends ForgeUnderTest {
  forge: Forge;
  server: ForgeServer;
}

/** Starts a forge of its own for a test. */
export async function startSandboxForge(options: { logger?: Logger } = {}): Promise<SandboxForge> {
  const dataDir = await mkdtemp(join(tmpdir(), 'cc-ci-forge-'));
  const forge = createForge({ dataDir });
  const admin = { login: 'root', password: randomBytes(12).toString('hex') };
  await addUser(forge, { ...admin, admin: true });
  const server = await startForge(forge, { host: '127.0.0.1', port: 0, ...options });
  return {
    url: server.url,
    admin,
    forge,
    server,
    async dispose() {
      await server.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
