import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@cc-ci/core';
import { stringify } from 'yaml';
import { makeWildcardCertificate } from '../edge/certificate.js';
import { eventually, removeStack } from '../edge/testing/echo-service.js';
import { ensurePart, type Part } from '../parts/build.js';
import { freePort } from './program.js';

/** A real Traefik on this node's Swarm. */
export interface RealTraefik {
  /** The ports of this machine that it listens on. */
  httpPort: number;
  httpsPort: number;
  /** PEM file of its certificate's authority. */
  caFile: string;
  /** What it has logged so far. */
  log(): Promise<string>;
  /** Removes its stack, its image and its files. */
  dispose(): Promise<void>;
}

/** What it serves. */
export interface TraefikOptions {
  /** It has a certificate for this name and all names below it. */
  zone: string;
  /** The overlay network of the apps; must exist. */
  network: string;
  /** Default: the part, installed or built. */
  part?: Part;
}

/** Seconds between two looks at the Swarm; its default is 15. */
const REFRESH_SECONDS = 1;

/**
 * Deploys a real Traefik as the Co-op Cloud recipe sets it up with a wildcard certificate of its own: Swarm provider,
 * the certificate as Swarm secrets named by the file provider, strict SNI, HTTP redirected to HTTPS.
 */
export async function startTraefik({ zone, network, part }: TraefikOptions): Promise<RealTraefik> {
  const { executable, version = 'unknown' } = part ?? (await ensurePart('traefik'));
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-traefik-'));
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const stack = `cc-ci-traefik-${httpsPort}`;
  const image = `${stack}:${version}`;
  const dispose = async () => {
    await removeStack(stack);
    // The image is let go of a moment after the container is gone.
    await eventually(() => run('docker', ['image', 'rm', image], { okCodes: [0] }));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const { caFile, certFile, keyFile } = await makeWildcardCertificate(join(dir, 'certificate'), zone);
    await makeImage(executable, image, dir);
    const dynamic = join(dir, 'dynamic.yml');
    await writeFile(dynamic, stringify(dynamicConfiguration()));
    const compose = stringify({
      version: '3.8',
      services: { app: service(image, network, httpPort, httpsPort) },
      networks: { [network]: { external: true } },
      secrets: { ssl_cert: { file: certFile }, ssl_key: { file: keyFile } },
      configs: { dynamic: { file: dynamic } },
    });
    const deploy = ['stack', 'deploy', '--detach=true', '--resolve-image', 'never', '--compose-file', '-'];
    await run('docker', [...deploy, stack], { input: compose, timeoutMs: 60_000 });
    const log = async () => {
      const { stdout, stderr } = await run('docker', ['service', 'logs', '--raw', `${stack}_app`]);
      return stdout + stderr;
    };
    return { httpPort, httpsPort, caFile, log, dispose };
  } catch (error) {
    await dispose().catch(() => {});
    throw error;
  }
}

/** An image of nothing but the program, which is linked statically. */
async function makeImage(executable: string, image: string, dir: string): Promise<void> {
  await copyFile(executable, join(dir, 'traefik'));
  const archive = join(dir, 'image.tar');
  await run('tar', ['--create', '--file', archive, '--owner=0', '--group=0', '--directory', dir, 'traefik']);
  await run('docker', ['import', '--change', 'ENTRYPOINT ["/traefik"]', archive, image], {
    timeoutMs: 120_000,
  });
  await rm(archive);
}

function dynamicConfiguration() {
  return {
    tls: {
      options: { default: { sniStrict: true } },
      certificates: [{ certFile: '/run/secrets/ssl_cert', keyFile: '/run/secrets/ssl_key' }],
    },
  };
}

/** It listens on the same ports inside as outside: its redirects name the port it knows. */
function service(image: string, network: string, httpPort: number, httpsPort: number) {
  const port = (number: number) => ({ target: number, published: number, protocol: 'tcp', mode: 'host' });
  return {
    image,
    command: [
      '--global.checknewversion=false',
      '--global.sendanonymoususage=false',
      '--log.level=INFO',
      '--providers.swarm.exposedbydefault=false',
      `--providers.swarm.network=${network}`,
      `--providers.swarm.refreshseconds=${REFRESH_SECONDS}`,
      '--providers.file.filename=/etc/traefik/dynamic.yml',
      `--entrypoints.web.address=:${httpPort}`,
      '--entrypoints.web.http.redirections.entrypoint.to=web-secure',
      `--entrypoints.web-secure.address=:${httpsPort}`,
    ],
    networks: [network],
    ports: [port(httpPort), port(httpsPort)],
    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro'],
    secrets: ['ssl_cert', 'ssl_key'],
    configs: [{ source: 'dynamic', target: '/etc/traefik/dynamic.yml' }],
    stop_grace_period: '1s',
    deploy: { endpoint_mode: 'dnsrr', update_config: { order: 'stop-first' } },
  };
}
