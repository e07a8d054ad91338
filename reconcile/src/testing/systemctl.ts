import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { standInServer } from './http.js';

/** A `systemctl` of one service, which is restarted by this process. */
export interface SystemctlStandIn {
  /** The program. */
  path: string;
  /** To be told when the service was started other than by it. */
  started(): void;
  /** Until no restart is under way; rejects when the last one failed. */
  settled(): Promise<void>;
  /** How many restarts it was asked for. */
  restarts(): number;
  close(): Promise<void>;
}

/** Writes one into a folder. */
export async function makeSystemctl(dir: string, restart: () => Promise<void>): Promise<SystemctlStandIn> {
  let since: number | undefined;
  let running: Promise<void> | undefined;
  let restarts = 0;
  const started = () => {
    since = performance.timeOrigin + performance.now();
  };
  const server = await standInServer({
    'POST /show': () => {
      const lines = [
        `ActiveState=${since === undefined ? 'inactive' : 'active'}`,
        `Job=${running ? 17 : 0}`,
        `ExecMainStartTimestamp=${since === undefined ? '' : stamp(since)}`,
      ];
      return { status: 200, body: `${lines.join('\n')}\n` };
    },
    'POST /try-restart': () => {
      if (since === undefined) return { status: 200, body: '' };
      restarts += 1;
      running = restart().then(started);
      running
        .finally(() => {
          running = undefined;
        })
        .catch(() => {});
      return { status: 200, body: '' };
    },
  });
  await server.start();
  const path = join(dir, 'systemctl');
  await writeFile(
    path,
    `#!${process.execPath}
fetch('${server.url}/' + process.argv[2], { method: 'POST' })
  .then((answer) => answer.text())
  .then((text) => process.stdout.write(text));
`,
  );
  await chmod(path, 0o755);
  return {
    path,
    started,
    settled: async () => running,
    restarts: () => restarts,
    close: () => server.stop(),
  };
}

/** As `--timestamp=us+utc` has it. */
function stamp(ms: number): string {
  const iso = new Date(ms).toISOString();
  const micros = String(Math.floor((ms % 1) * 1000)).padStart(3, '0');
  return `Sat ${iso.slice(0, 10)} ${iso.slice(11, 23)}${micros} UTC`;
}
