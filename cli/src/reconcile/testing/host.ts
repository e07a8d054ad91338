import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '@cc-ci/core';
import { hostParts, loadHostConfig, type Part, type Report } from '@cc-ci/reconcile';
import {
  type BlankEngine,
  canStartBlankEngine,
  makeCertificates,
  startBlankEngine,
} from '@cc-ci/reconcile/testing';
import { ABRA_EXECUTABLE } from '@cc-ci/sandbox';
import {
  createBackupbotRecipe,
  createTraefikRecipe,
  ensureTinyImage,
  type FixtureRecipe,
  NEWER,
  OLDER,
  traefikImage,
} from '@cc-ci/sandbox/testing';
import { after, before } from 'mocha';
import type { Place } from './killed-run.js';

export const ZONE = 'ci.example.test';

/** A host before anything was done to it: an engine, recipes to be had, a certificate. */
export interface BlankHost {
  engine: BlankEngine;
  dir: string;
  /** Variables of cc-ci for it, and DOCKER_HOST. */
  env: Record<string, string>;
  traefik: FixtureRecipe;
  parts(settings?: Record<string, string>): Part[];
  /** Puts a new certificate in the place of the one there is. */
  renew(certificate: { names?: string[]; days?: { from?: number; to?: number } }): Promise<void>;
  stop(): Promise<void>;
}

/** Gives the stories of a `describe` one blank host; they are skipped where none can be. */
export function useBlankHost(take: (host: BlankHost) => void): void {
  let host: BlankHost | undefined;
  before(async function () {
    if (!(await canStartBlankEngine())) return this.skip();
    host = await startBlankHost();
    take(host);
  });
  after(() => host?.stop());
}

async function startBlankHost(): Promise<BlankHost> {
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-host-'));
  const engine = await startBlankEngine();
  await loadImages(engine, dir);
  const traefik = await createTraefikRecipe(dir);
  await createBackupbotRecipe(dir);
  const maker = await makeCertificates(dir);
  let issued = 0;
  const env = {
    DOCKER_HOST: engine.host,
    CC_CI_HOST_DIR: join(dir, 'host'),
    CC_CI_ADVERTISE_ADDRESS: '127.0.0.1',
    CC_CI_ZONE: ZONE,
    CC_CI_CERTIFICATE_FILE: join(dir, 'live.pem'),
    CC_CI_CERTIFICATE_KEY_FILE: join(dir, 'live.key'),
    CC_CI_RECIPES_URL: dir,
    CC_CI_ABRA: ABRA_EXECUTABLE,
    CC_CI_DEPLOY_TIMEOUT: '60',
    CC_CI_DASHBOARD_LISTEN: '172.17.0.1:8091',
    CC_CI_BRIDGE_LISTEN: '172.17.0.1:8090',
    CC_CI_DRONE_LISTEN: '172.17.0.1:8092',
  };
  const host: BlankHost = {
    engine,
    dir,
    env,
    traefik,
    parts: (settings = {}) =>
      hostParts(loadHostConfig({ ...env, ...settings }), engine.docker, { DOCKER_HOST: engine.host }),
    async renew({ names = [ZONE, `*.${ZONE}`], days }) {
      const files = await maker.issue(`certificate-${++issued}`, names, days);
      await copyFile(files.certificateFile, env.CC_CI_CERTIFICATE_FILE);
      await copyFile(files.keyFile, env.CC_CI_CERTIFICATE_KEY_FILE);
    },
    async stop() {
      await engine.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
  await host.renew({});
  return host;
}

async function loadImages(engine: BlankEngine, dir: string): Promise<void> {
  const archive = join(dir, 'tiny.tar');
  const tiny = await ensureTinyImage();
  await run('docker', ['save', '--output', archive, tiny], { timeoutMs: 60_000 });
  await engine.client('load', '--input', archive);
  await rm(archive);
  for (const version of [OLDER, NEWER]) await engine.client('tag', tiny, traefikImage(version));
}

/**
 * Runs parts of a host as `cc-ci reconcile` does, until the run is killed, and with it all it has started, as systemd
 * does it.
 */
export async function killedWhere(host: BlankHost, names: readonly string[], where: Place): Promise<void> {
  const program = fileURLToPath(new URL('./killed-run.js', import.meta.url));
  const inNamespace = ['--pid', '--fork', '--kill-child', 'sh', '-c', '"$@"; exit $?', 'sh'];
  const { exitCode, stderr } = await run(
    'unshare',
    [...inNamespace, process.execPath, program, JSON.stringify(where), ...names],
    { env: { PATH: process.env.PATH, ...host.env }, okCodes: [0, 2, 137], timeoutMs: 60_000 },
  );
  if (exitCode !== 137) throw new Error(`the run was not killed, but ended with ${exitCode}: ${stderr}`);
}

/** States by part; of a part that failed or is blocked, why. */
export function statesOf({ parts }: Report): Record<string, string> {
  return Object.fromEntries(
    parts.map(({ part, state, error, obstacles }) => [
      part,
      [state, error, ...obstacles.map(({ missing }) => missing)].filter(Boolean).join(': '),
    ]),
  );
}

/** What was changed of a part, as "what was found: what was done". */
export function changesOf({ parts }: Report, name: string): string[] {
  return parts
    .filter(({ part }) => part === name)
    .flatMap(({ changes }) => changes.map(({ found, plan }) => `${found}: ${plan}`));
}
