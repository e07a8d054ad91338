import { run } from '@cc-ci/core';

/** When a service that runs was started, in milliseconds since 1970; undefined while it does not run or is being restarted. */
export async function runningSince(unit: string, systemctl = 'systemctl'): Promise<number | undefined> {
  const asked = ['ActiveState', 'Job', 'ExecMainStartTimestamp'].map((name) => `--property=${name}`);
  const { stdout } = await run(systemctl, ['show', ...asked, '--timestamp=us+utc', unit], {
    timeoutMs: TIMEOUT_MS,
  });
  const {
    ActiveState,
    Job = '0',
    ExecMainStartTimestamp = '',
  } = Object.fromEntries(
    stdout.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  ) as Record<string, string | undefined>;
  if (ActiveState !== 'active' || !/^0?$/.test(Job)) return undefined;
  // "Sat 2026-11-21 19:00:15.123456 UTC": a Date holds milliseconds only.
  const [, second, micros] =
    /(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d{6}) UTC$/.exec(ExecMainStartTimestamp) ?? [];
  if (!second)
    throw new Error(`systemctl show ${unit} tells no time of its start: ${ExecMainStartTimestamp}`);
  return Date.parse(`${second.replace(' ', 'T')}Z`) + Number(micros) / 1000;
}

/**
 * Restarts a service that runs. Not waited for: it may be ordered after the unit we are in, and would then wait for us.
 */
export async function restartSoon(unit: string, systemctl = 'systemctl'): Promise<void> {
  await run(systemctl, ['try-restart', '--no-block', unit], { timeoutMs: TIMEOUT_MS });
}

const TIMEOUT_MS = 30_000;
