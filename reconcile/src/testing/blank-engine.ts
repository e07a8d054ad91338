import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connectDocker, type Docker, disconnectDocker, run } from '@cc-ci/core';

/** A Docker engine of its own that knows nothing yet: no swarm, no networks, no images. */
export interface BlankEngine {
  /** For DOCKER_HOST. */
  host: string;
  docker: Docker;
  /** Runs the docker client on it. @returns what it printed, without the newline at its end */
  client(...args: string[]): Promise<string>;
  /** Kills it and starts it again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Whether one can be started: it needs root and dockerd. */
export async function canStartBlankEngine(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return run('dockerd', ['--version']).then(
    () => true,
    () => false,
  );
}

/**
 * Starts a second dockerd with its own data and namespaces, so that neither the machine's engine nor its swarm, ports or
 * bridges are touched, and that nothing outlives it: its containers are processes of its PID namespace. It ends with
 * this process.
 * @throws Error with the end of its log when it does not come up
 */
export async function startBlankEngine(): Promise<BlankEngine> {
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-engine-'));
  const host = `unix://${dir}/docker.sock`;
  await writeFile(join(dir, 'config.json'), '{}');
  const args = [
    ...['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'pid')],
    ...['--config-file', join(dir, 'config.json'), '--host', host],
    ...['--storage-driver', 'vfs', '--bridge', 'none', '--iptables=false'],
  ];
  let daemon = await startDaemon(args);
  const docker = connectDocker(host);
  return {
    host,
    docker,
    async client(...words) {
      const { stdout } = await run('docker', ['--host', host, ...words], { timeoutMs: 30_000 });
      return stdout.trim();
    },
    async restart() {
      await kill(daemon);
      // In a new PID namespace these numbers are those of others.
      for (const file of ['pid', 'exec/containerd/containerd.pid'])
        await rm(join(dir, file), { force: true });
      daemon = await startDaemon(args);
    },
    async stop() {
      await disconnectDocker(docker);
      await kill(daemon);
      // Its containers die with it, but a moment later.
      await rm(dir, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    },
  };
}

async function startDaemon(args: readonly string[]): Promise<ChildProcess> {
  const daemon = spawn(
    'setpriv',
    [
      ...[
        '--pdeathsig',
        'KILL',
        'unshare',
        '--net',
        '--mount',
        '--pid',
        '--mount-proc',
        '--fork',
        '--kill-child',
      ],
      ...['sh', '-c', 'ip link set lo up && exec dockerd "$@"', 'dockerd', ...args],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const said: string[] = [];
  const isUp = new Promise<boolean>((resolve) => {
    createInterface({ input: daemon.stderr })
      .on('line', (line) => {
        said.push(line);
        if (line.includes('API listen on')) resolve(true);
      })
      .on('close', () => resolve(false));
  });
  if (await isUp) return daemon;
  await kill(daemon);
  throw new Error(`a second dockerd did not come up:\n${said.slice(-5).join('\n')}`);
}

/** Ends when it is gone, and with it its containerd, which holds the other end of its output, too. */
async function kill(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = once(daemon, 'close');
  daemon.kill('SIGKILL');
  await ended;
}
