import { join } from 'node:path';
import type { Config, Docker } from '@cc-ci/core';
import type { Part } from './part.js';
import { certificatePart } from './parts/certificate.js';
import { networkPart } from './parts/network.js';
import { swarmPart } from './parts/swarm.js';

export type HostConfig = Config<'runner' | 'host'>;

/** Every part of the host there is, each after those it needs. */
export function hostParts({ runner, host }: HostConfig, docker: Docker): Part[] {
  return [
    swarmPart(docker, host),
    networkPart(docker),
    certificatePart({ ...certificateFiles(host), zone: runner.zone }),
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
