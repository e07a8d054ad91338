import { existsSync } from 'node:fs';
import { type Diagnosis, describeError, diagnose, run } from '@cc-ci/core';
import { z } from 'zod';

const TIMEOUT_MS = 10_000;
/** Units of ours, by the names that the modules give them. */
const OURS = /^(?:cc-ci-|drone-(?:server|runner)\.)/;

const units = z.array(z.looseObject({ unit: z.string() }));

/** Units that have failed. Ours keep something from working; others are told of. */
export async function examineUnits(
  env: NodeJS.ProcessEnv = process.env,
  isBooted = existsSync('/run/systemd/system'), // sd_booted(3)
): Promise<Diagnosis[]> {
  if (!isBooted) return [diagnose.unknown('units', 'systemd does not run this machine')];
  let failed: string[];
  try {
    const words = ['list-units', '--state=failed', '--all', '--no-pager', '--output=json'];
    const { stdout } = await run('systemctl', words, { env, timeoutMs: TIMEOUT_MS });
    failed = units.parse(JSON.parse(stdout)).map(({ unit }) => unit);
  } catch (error) {
    return [diagnose.unknown('units', `systemctl was asked: ${describeError(error)}`)];
  }
  const ours = failed.filter((unit) => OURS.test(unit));
  const others = failed.filter((unit) => !OURS.test(unit));
  const todo = (names: string[]) => `see why: journalctl -e -u ${names.join(' -u ')}`;
  return [
    ours.length === 0
      ? diagnose.ok('units', 'none of ours has failed')
      : diagnose.fail('units', `failed: ${ours.join(', ')}`, todo(ours)),
    ...(others.length === 0
      ? []
      : [diagnose.warn('other units', `failed: ${others.join(', ')}`, todo(others))]),
  ];
}
