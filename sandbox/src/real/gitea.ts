import { chmod, chown, copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CcCiError, run } from '@cc-ci/core';
import { ensurePart, type Part } from '../parts/build.js';
import { bound, freePort, startProgram, type UserId } from './program.js';

/** A real Gitea on loopback with throw-away data. */
export interface RealGitea {
  url: string;
  version: string;
  /** Its first administrator. */
  admin: { login: string; password: string };
  logFile: string;
  /** Stops it, as a restart of the machine would, and starts it again with the same data. */
  restart(): Promise<void>;
  /** The first half of that, and the second. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

/** What can be chosen about it. */
export interface GiteaOptions {
  /** Default: the part, installed or built. */
  part?: Part;
  /** Where it finds issues: Gitea's own default is `bleve`. */
  issueIndexer?: 'bleve' | 'db';
}

const COMMAND_TIMEOUT_MS = 60_000;

/**
 * Starts a real Gitea with an administrator. It refuses to run as root: where we are, it runs as nobody, from a folder
 * of its own that nobody may read.
 */
export async function startGitea(options: GiteaOptions = {}): Promise<RealGitea> {
  const part = options.part ?? (await ensurePart('gitea'));
  const home = await mkdtemp(join(tmpdir(), 'cc-ci-gitea-'));
  try {
    return await startIn(home, part, options.issueIndexer ?? 'bleve');
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(home: string, part: Part, issueIndexer: string): Promise<RealGitea> {
  const user = await otherUser();
  const executable = await bringHere(part, home);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(home, 'app.ini');
  const name = user?.name ?? userInfo().username;
  await writeFile(config, appIni({ home, port, url, user: name, issueIndexer, part }));
  if (user) await giveAway(home, user);
  const env = { PATH: process.env.PATH ?? '', HOME: home, USER: name, GITEA_WORK_DIR: home };
  const command = async (...args: string[]) => {
    const [file, all] = bound(executable, [...args, '--config', config], user);
    return (await run(file, all, { cwd: home, env, timeoutMs: COMMAND_TIMEOUT_MS })).stdout;
  };
  await command('migrate');
  const login = 'root';
  const created = await command(
    ...['admin', 'user', 'create', '--admin', '--username', login, '--email', `${login}@example.org`],
    // The password is made there and printed: on a command line everybody could read it.
    ...['--random-password', '--random-password-length', '24', '--must-change-password=false'],
  );
  const password = /^generated random password is '(.+)'$/m.exec(created)?.[1];
  if (!password) throw new CcCiError('gitea admin user create told no password');
  const logFile = join(home, 'gitea.log');
  const start = () =>
    startProgram(executable, {
      args: ['web', '--config', config],
      env,
      cwd: home,
      logFile,
      readyUrl: `${url}/api/healthz`,
      asUser: user,
    });
  let program = await start();
  return {
    url,
    version: part.version ?? 'unknown',
    admin: { login, password },
    logFile,
    async restart() {
      await program.stop();
      program = await start();
    },
    stop: () => program.stop(),
    async start() {
      program = await start();
    },
    async dispose() {
      await program.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Nobody, where we are root; undefined where Gitea may run as us. */
async function otherUser(): Promise<(UserId & { name: string }) | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const name = 'nobody';
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (which) => Number((await run('id', [which, name])).stdout)),
  );
  if (uid === undefined || gid === undefined) throw new CcCiError('this machine knows no user nobody');
  return { uid, gid, name };
}

/** The cache belongs to us and may be closed to others: the program comes to where its user may read. */
async function bringHere(part: Part, home: string): Promise<string> {
  if (!part.folder) return part.executable;
  const executable = join(home, 'bin', 'gitea');
  await mkdir(join(home, 'bin'));
  await copyFile(part.executable, executable);
  await chmod(executable, 0o755);
  for (const folder of ['options', 'public', 'templates'])
    await cp(join(part.folder, folder), join(home, 'static', folder), { recursive: true });
  return executable;
}

async function giveAway(home: string, { uid, gid }: UserId): Promise<void> {
  await run('chown', ['-R', `${uid}:${gid}`, home]);
  await chown(home, uid, gid);
}

interface AppIni {
  home: string;
  port: number;
  url: string;
  user: string;
  issueIndexer: string;
  part: Part;
}

/** Its secrets (`INTERNAL_TOKEN` and so on) it makes itself at its first start. */
function appIni({ home, port, url, user, issueIndexer, part }: AppIni): string {
  return `APP_NAME = cc-ci
RUN_USER = ${user}
RUN_MODE = prod

[server]
PROTOCOL = http
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = ${url}/
DOMAIN = 127.0.0.1
DISABLE_SSH = true
OFFLINE_MODE = true
APP_DATA_PATH = ${home}/data
${part.folder ? `STATIC_ROOT_PATH = ${home}/static\n` : ''}
[database]
DB_TYPE = sqlite3
PATH = ${home}/data/gitea.db

[repository]
ROOT = ${home}/data/repositories

[indexer]
ISSUE_INDEXER_TYPE = ${issueIndexer}

[security]
INSTALL_LOCK = true

[service]
DISABLE_REGISTRATION = true

[webhook]
ALLOWED_HOST_LIST = loopback

[mailer]
ENABLED = false

[log]
MODE = console
LEVEL = Warn
`;
}
