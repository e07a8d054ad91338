import { join } from 'node:path';
import {
  type Config,
  type Docker,
  loadConfig,
  loadPartialConfig,
  type PartialConfig,
  run,
  settingIfSet,
} from '@cc-ci/core';
import { hostHasIpvs } from '@cc-ci/runner';
import type { MaybeDroneHost } from './drone-host.js';
import type { Part } from './part.js';
import { backupbotPart } from './parts/backupbot.js';
import { certificatePart } from './parts/certificate.js';
import { certificateSecretsPart } from './parts/certificate-secrets.js';
import { dronePart } from './parts/drone.js';
import { droneTokenPart } from './parts/drone-token.js';
import { edgePart, type Listen } from './parts/edge.js';
import { networkPart } from './parts/network.js';
import { oauthPart } from './parts/oauth.js';
import { swarmPart } from './parts/swarm.js';
import { traefikPart, traefikStack } from './parts/traefik.js';
import type { Deployer } from './recipe-app/part.js';

export type HostConfig = Config<'runner' | 'engine' | 'host'> &
  PartialConfig<'bridge' | 'drone'> & {
    /** Where services of this host listen; undefined: they are not on this host. */
    listens: { bridge: Listen | undefined; dashboard: Listen | undefined };
  };

/** The settings that say what this host is to be. @throws ConfigError */
export function loadHostConfig(env: NodeJS.ProcessEnv = process.env): HostConfig {
  return {
    ...loadConfig(['runner', 'engine', 'host'], env),
    ...loadPartialConfig(['bridge', 'drone'], env),
    // Both have a default, which says nothing of whether they are here.
    listens: {
      bridge: settingIfSet('bridge', 'listen', env),
      dashboard: settingIfSet('dashboard', 'listen', env),
    },
  };
}

/**
 * Every part of the host there is, each after those it needs.
 * @param environment what abra is given besides, for an engine that is not this process's own
 */
export function hostParts(
  config: HostConfig,
  docker: Docker,
  environment: Readonly<Record<string, string>> = {},
): Part[] {
  const { runner, host, listens } = config;
  const certificate = { ...certificateFiles(host), zone: runner.zone };
  const deployer = hostDeployer(config, docker, environment);
  const stack = traefikStack(runner.zone);
  const droneHost = droneHostOf(config);
  return [
    swarmPart(docker, host),
    networkPart(docker),
    certificatePart(certificate),
    certificateSecretsPart(docker, { ...certificate, stack }),
    traefikPart(deployer, { ...certificate, version: host.traefikVersion }),
    backupbotPart(deployer, {
      zone: runner.zone,
      hostDir: host.hostDir,
      version: host.backupbotVersion,
    }),
    edgePart(docker, {
      ...listens,
      traefikStack: stack,
      dashboardDomain: host.dashboardDomain ?? `ci.${runner.zone}`,
      droneDomain: host.droneDomain ?? `drone.${runner.zone}`,
      drone: host.droneListen,
    }),
    oauthPart(droneHost),
    droneTokenPart(droneHost),
    dronePart(droneHost),
  ];
}

function hostDeployer(
  { runner, host }: HostConfig,
  docker: Docker,
  environment: Readonly<Record<string, string>>,
): Deployer {
  return {
    docker,
    abra: {
      program: runner.abra,
      dir: join(host.hostDir, 'abra'),
      run: (file, args, { quiet: _, ...options }) =>
        run(file, args, { ...options, env: { ...options.env, ...environment } }),
    },
    server: runner.abraServer,
    recipesUrl: runner.recipesUrl,
    hasIpvs: hostHasIpvs,
    timeoutMs: runner.deployTimeout * 1000,
  };
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
export function droneHostOf({
  engine,
  host,
  bridge,
  drone,
}: Pick<HostConfig, 'engine' | 'host' | 'bridge' | 'drone'>): MaybeDroneHost {
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
