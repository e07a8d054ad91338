import { join } from 'node:path';
import { type Config, type Docker, loadConfig, loadPartialConfig, type PartialConfig } from '@cc-ci/core';
import type { MaybeDroneHost } from './drone-host.js';
import type { Part } from './part.js';
import { certificatePart } from './parts/certificate.js';
import { dronePart } from './parts/drone.js';
import { droneTokenPart } from './parts/drone-token.js';
import { networkPart } from './parts/network.js';
import { oauthPart } from './parts/oauth.js';
import { swarmPart } from './parts/swarm.js';

export type HostConfig = Config<'runner' | 'engine' | 'host'> & PartialConfig<'bridge' | 'drone'>;

/** The settings that say what this host is to be. @throws ConfigError */
export function loadHostConfig(env: NodeJS.ProcessEnv = process.env): HostConfig {
  return {
    ...loadConfig(['runner', 'engine', 'host'], env),
    ...loadPartialConfig(['bridge', 'drone'], env),
  };
}

/** Every part of the host there is, each after those it needs. */
export function hostParts(config: HostConfig, docker: Docker): Part[] {
  const { runner, host } = config;
  const droneHost = droneHostOf(config);
  return [
    swarmPart(docker, host),
    networkPart(docker),
    certificatePart({ ...certificateFiles(host), zone: runner.zone }),
    oauthPart(droneHost),
    droneTokenPart(droneHost),
    dronePart(droneHost),
  ];
}

/** Where the operator's certificate and its key are. */
export function certificateFiles({ certsDir, certificateFile, certificateKeyFile }: Config<'host'>['host']) {
  return {
    certificateFile: certificateFile ?? join(certsDir, 'fullchain.pem'),
    keyFile: certificateKeyFile ?? join(certsDir, 'privkey.pem'),
  };
}

/** The lock of whoever changes the host. */
export function hostLock({ host }: HostConfig): string {
  return join(host.hostDir, 'reconcile.lock');
}

/** How much longer than a build Drone lets the whole of it take, with its teardown, in minutes (docs/drone.md). */
const TEARDOWN_MINUTES = 30;

/** The Drone server that this host sets up: where it is named as whom, everything else must be set as well. */
export function droneHostOf({ engine, host, bridge, drone }: HostConfig): MaybeDroneHost {
  const { forgeBot, forgePasswordFile, hostDir, droneUnit } = host;
  if (forgeBot === undefined) return { is: 'none' };
  const { forgeUrl } = bridge;
  const { url: droneUrl, repository } = drone;
  if (!forgePasswordFile || !forgeUrl || !droneUrl || !repository) {
    const settings = {
      CC_CI_FORGE_PASSWORD_FILE: forgePasswordFile,
      CC_CI_FORGE_URL: forgeUrl,
      CC_CI_DRONE_URL: droneUrl,
      CC_CI_DRONE_REPOSITORY: repository,
    };
    const unset = Object.entries(settings).flatMap(([name, value]) => (value ? [] : [name]));
    return { is: 'partial', unset };
  }
  return {
    is: 'whole',
    host: {
      forgeUrl,
      bot: forgeBot,
      passwordFile: forgePasswordFile,
      droneUrl,
      repository,
      clientFile: join(hostDir, 'drone-oauth.env'),
      tokenFile: join(hostDir, 'drone-token'),
      timeoutMinutes: Math.ceil(engine.buildTimeout / 60) + TEARDOWN_MINUTES,
      ...(droneUnit === undefined ? {} : { unit: droneUnit }),
    },
  };
}
