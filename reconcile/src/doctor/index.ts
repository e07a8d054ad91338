import { existsSync } from 'node:fs';
import { type Config, type Diagnosis, type Docker, diagnose } from '@cc-ci/core';
import type { Part } from '../part.js';
import { examineCertificateFiles } from './certificate.js';
import { examineParts } from './parts.js';
import { examineUnits } from './units.js';

/** What a look at a host needs. */
export interface HostLook {
  config: Config<'runner' | 'host'>;
  /** What the host is brought to, for `root` only: nobody else can look at all of it. */
  parts: (docker: Docker) => Part[];
  env?: NodeJS.ProcessEnv;
}

/** Looks at what makes a machine a host of cc-ci: certificate, parts, units. Changes nothing. */
export async function examineHost(look: HostLook): Promise<Diagnosis[]> {
  const { runner, host } = look.config;
  if (!existsSync(host.hostDir)) {
    const said = `there is no ${host.hostDir}: this is no host, and what makes one was not looked at`;
    return [diagnose.unknown('host', said)];
  }
  const looks = await Promise.all([
    examineCertificateFiles(runner.zone, host),
    examineParts(look.parts),
    examineUnits(look.env),
  ]);
  return looks.flat();
}
