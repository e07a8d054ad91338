import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDocker, type Docker, disconnectDocker, run } from '@cc-ci/core';
import { hostParts, loadHostConfig, reconcile, traefikStack } from '@cc-ci/reconcile';
import { removeApp } from '@cc-ci/runner';
import { ABRA_EXECUTABLE, ensureImages, makeWildcardCertificate } from '@cc-ci/sandbox';
import { ensurePart } from '@cc-ci/sandbox/real';
import {
  createTraefikRecipe,
  edgeContract,
  ensureTinyImage,
  NEWER,
  REAL_TRAEFIK,
  traefikImage,
} from '@cc-ci/sandbox/testing';
import { expect } from 'chai';

const ZONE = 'recipe.test';
const REMOVE_TIMEOUT_MS = 60_000;

/** A real Traefik as a host has it: the recipe, deployed through abra by `cc-ci reconcile traefik`. */
edgeContract('Traefik, deployed as its recipe', async () => {
  await ensureImages(['radicale']);
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-traefik-recipe-'));
  const docker = connectDocker();
  const image = traefikImage(NEWER);
  const close = async () => {
    await removeApp(docker, traefikStack(ZONE), REMOVE_TIMEOUT_MS);
    await run('docker', ['image', 'rm', '--force', image]);
    await disconnectDocker(docker);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await makeImage((await ensurePart('traefik')).executable, image);
    await createTraefikRecipe(dir, REAL_TRAEFIK);
    const { caFile, certFile, keyFile } = await makeWildcardCertificate(join(dir, 'certificate'), ZONE);
    await reconcileTraefik(docker, {
      CC_CI_HOST_DIR: join(dir, 'host'),
      CC_CI_ZONE: ZONE,
      CC_CI_CERTIFICATE_FILE: certFile,
      CC_CI_CERTIFICATE_KEY_FILE: keyFile,
      CC_CI_RECIPES_URL: dir,
      CC_CI_ABRA: ABRA_EXECUTABLE,
    });
    return {
      address: '127.0.0.1',
      httpPort: 80,
      httpsPort: 443,
      zone: ZONE,
      ca: await readFile(caFile, 'utf8'),
      network: 'proxy',
      // It looks every 15 seconds, and waits half a minute for a server that is gone.
      noticesWithinMs: 90_000,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
});

async function reconcileTraefik(docker: Docker, env: Record<string, string>): Promise<void> {
  const parts = hostParts(loadHostConfig(env), docker);
  const first = await reconcile(parts, ['traefik']);
  expect(first.state, JSON.stringify(first, null, 1)).to.equal('changed');
  expect((await reconcile(parts, ['traefik'])).state).to.equal('converged');
}

/** What the recipe's health checks call is busybox; Traefik is beside it. */
async function makeImage(executable: string, image: string): Promise<void> {
  const { stdout } = await run('docker', ['create', await ensureTinyImage()]);
  const container = stdout.trim();
  try {
    await run('docker', ['cp', executable, `${container}:/traefik`], { timeoutMs: 120_000 });
    await run('docker', ['commit', container, image], { timeoutMs: 120_000 });
  } finally {
    await run('docker', ['rm', container]);
  }
}
