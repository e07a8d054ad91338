import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '@cc-ci/core';
import { startDroneRunner } from '../drone-runner/runner.js';
import { ensurePart, type Part } from '../parts/build.js';
import { which } from '../parts/on-path.js';
import { freePort, type RunningProgram, startProgram } from './program.js';

/** A real Drone server on loopback with throw-away data. */
export interface RealDrone {
  url: string;
  /** What runners need to connect. */
  rpcSecret: string;
  logFile: string;
  /** Ends it with SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again with the same data, after `kill` or while it runs; default: as the client it was. */
  start(client?: OAuthClient): Promise<void>;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

/** As whom it signs people in at its forge: an OAuth application there. */
export interface OAuthClient {
  id: string;
  secret: string;
}

/** What it stands beside. */
export interface DroneOptions {
  /** The Gitea it builds for. */
  forgeUrl: string;
  client: OAuthClient;
  /** The login of its administrator. */
  admin: string;
  /** A port of this machine that nobody listens on, which is part of its URL. */
  port: number;
  /** Default: the part, installed or built. */
  part?: Part;
}

/** Starts a real Drone server for a Gitea. Nobody has signed in to it yet. */
export async function startDrone({ forgeUrl, client, admin, port, part }: DroneOptions): Promise<RealDrone> {
  const { executable } = part ?? (await ensurePart('drone'));
  const host = `127.0.0.1:${port}`;
  const url = `http://${host}`;
  const rpcSecret = randomBytes(16).toString('hex');
  const home = await mkdtemp(join(tmpdir(), 'cc-ci-drone-'));
  const logFile = join(home, 'drone.log');
  const start = ({ id, secret }: OAuthClient) =>
    startProgram(executable, {
      args: [],
      cwd: home,
      logFile,
      readyUrl: `${url}/healthz`,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: home,
        DRONE_GITEA_SERVER: forgeUrl,
        DRONE_GITEA_CLIENT_ID: id,
        DRONE_GITEA_CLIENT_SECRET: secret,
        DRONE_RPC_SECRET: rpcSecret,
        DRONE_SERVER_HOST: host,
        DRONE_SERVER_PORT: host,
        DRONE_SERVER_PROTO: 'http',
        DRONE_DATABASE_DRIVER: 'sqlite3',
        DRONE_DATABASE_DATASOURCE: join(home, 'drone.sqlite'),
        DRONE_COOKIE_SECRET: rpcSecret,
        DRONE_USER_CREATE: `username:${admin},admin:true`,
        // It would tell its makers how it is used.
        DRONE_DATADOG_ENABLED: 'false',
      },
    });
  let program: RunningProgram;
  try {
    program = await start(client);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
  let latest = client;
  return {
    url,
    rpcSecret,
    logFile,
    kill: () => program.kill(),
    async start(as = latest) {
      latest = as;
      await program.stop();
      program = await start(as);
    },
    async dispose() {
      await program.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Whatever runs the pipelines of a Drone server. */
export interface ExecRunner {
  /** Which one it is. */
  kind: 'drone-runner-exec' | 'stand-in';
  stop(): Promise<void>;
}

/** How it is started. */
export interface ExecRunnerOptions {
  /** How many builds it runs at once; default 2. */
  capacity?: number;
  /** What it adds to the environment of every step (DRONE_RUNNER_ENVIRON): no value may hold `:` or `,`. */
  environ?: Readonly<Record<string, string>>;
  /** Where its steps find programs. Default: where we do. */
  path?: string;
}

/** Starts Drone's own exec runner where it is on PATH, and our stand-in for it where it is not. */
export async function startExecRunner(
  drone: Pick<RealDrone, 'url' | 'rpcSecret'>,
  { capacity = 2, environ = {}, path = process.env.PATH ?? '' }: ExecRunnerOptions = {},
): Promise<ExecRunner> {
  for (const [name, value] of Object.entries(environ))
    if (/[:,]/.test(value)) throw new InputError(`${name} cannot be told to Drone's exec runner: ${value}`);
  const executable = await which('drone-runner-exec');
  if (!executable) {
    const around = { host: { ...process.env, PATH: path }, environ };
    const { stop } = await startDroneRunner({ url: drone.url, secret: drone.rpcSecret, capacity, around });
    return { kind: 'stand-in', stop };
  }
  const home = await mkdtemp(join(tmpdir(), 'cc-ci-drone-runner-'));
  const bind = `127.0.0.1:${await freePort()}`;
  const { host, protocol } = new URL(drone.url);
  const program = await startProgram(executable, {
    args: ['daemon'],
    cwd: home,
    logFile: join(home, 'runner.log'),
    readyUrl: `http://${bind}/healthz`,
    env: {
      PATH: path,
      HOME: home,
      DRONE_RPC_PROTO: protocol.slice(0, -1),
      DRONE_RPC_HOST: host,
      DRONE_RPC_SECRET: drone.rpcSecret,
      DRONE_HTTP_BIND: bind,
      DRONE_RUNNER_CAPACITY: `${capacity}`,
      DRONE_UI_DISABLE: 'true',
      ...(Object.keys(environ).length > 0
        ? {
            DRONE_RUNNER_ENVIRON: Object.entries(environ)
              .map(([name, value]) => `${name}:${value}`)
              .join(','),
          }
        : {}),
    },
  });
  return {
    kind: 'drone-runner-exec',
    async stop() {
      await program.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
