import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLogger, newRunId, type RunRecord, readRun, runFolder } from '@cc-ci/core';
import {
  ABRA_EXECUTABLE,
  createRecipeRepository,
  ensureImages,
  FORGET_SNAPSHOTS_EXECUTABLE,
  makeWildcardCertificate,
  type RecipeRepository,
  startEdge,
} from '@cc-ci/sandbox';
import { selfCommand } from '../runner-process.js';

const ZONE = 'ci.test';
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A runner under test, in a process of its own. */
export interface RunnerProcess {
  run: string;
  child: ChildProcess;
  /** All it has printed so far. */
  output(): string;
  /** Resolves with the exit code, or the name of the signal that ended it. */
  ended: Promise<number | string>;
}

/** A machine for tests of whole runs: edge, certificate, sample recipes, a state folder; everything else is real. */
export interface Rig {
  dir: string;
  stateDir: string;
  env: NodeJS.ProcessEnv;
  /** A sample recipe's repository and the commit of one of its branches or tags. */
  recipe(name: string, ref: string): Promise<{ src: string; ref: string }>;
  /** Starts `cc-ci run` for a branch or tag of a sample recipe. */
  start(recipe: string, ref: string, extra?: readonly string[]): Promise<RunnerProcess>;
  /** Starts `cc-ci` with these arguments. */
  spawn(id: string, args: readonly string[], change?: NodeJS.ProcessEnv): RunnerProcess;
  record(id: string): Promise<RunRecord | undefined>;
  close(): Promise<void>;
}

/** Builds what is missing and starts it. */
export async function startRig(images: readonly string[]): Promise<Rig> {
  await ensureImages(images);
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-rig-'));
  const stateDir = join(dir, 'state');
  await mkdir(stateDir);
  const certificate = await makeWildcardCertificate(join(dir, 'certificate'), ZONE);
  const logger = createLogger('edge', 'fatal');
  const edge = await startEdge({ host: '127.0.0.1', httpPort: 0, httpsPort: 0, ...certificate, logger });
  const env = {
    ...process.env,
    CC_CI_STATE_DIR: stateDir,
    CC_CI_ZONE: ZONE,
    CC_CI_EDGE_ADDRESS: `127.0.0.1:${edge.httpsPort}`,
    CC_CI_EDGE_CA_FILE: certificate.caFile,
    CC_CI_TESTS_DIR: join(ROOT, 'tests'),
    CC_CI_ABRA: ABRA_EXECUTABLE,
    CC_CI_FORGET_SNAPSHOTS: FORGET_SNAPSHOTS_EXECUTABLE,
    ABRA_STANDIN_BACKUPS: join(dir, 'backups'),
    CC_CI_DEPLOY_TIMEOUT: '90',
  };
  const repositories = new Map<string, Promise<RecipeRepository>>();
  const recipe = async (name: string, ref: string) => {
    const made = repositories.get(name) ?? createRecipeRepository(name, join(dir, 'recipes', name));
    repositories.set(name, made);
    const { dir: src, branches, versions } = await made;
    const commit = branches[ref] ?? versions[ref];
    if (!commit) throw new Error(`${name} has no ${ref}`);
    return { src, ref: commit };
  };
  return {
    dir,
    stateDir,
    env,
    recipe,
    async start(name, ref, extra = []) {
      const what = await recipe(name, ref);
      const id = newRunId();
      return runnerProcess(
        id,
        selfCommand('run', name, `--run=${id}`, `--ref=${what.ref}`, `--src=${what.src}`, ...extra),
        env,
      );
    },
    spawn: (id, args, change = {}) => runnerProcess(id, selfCommand(...args), { ...env, ...change }),
    record: (id) => readRun(runFolder(stateDir, id)),
    async close() {
      await edge.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function runnerProcess(id: string, [file = '', ...args]: string[], env: NodeJS.ProcessEnv): RunnerProcess {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const ended = once(child, 'close').then(
    ([code, signal]: unknown[]) => (code as number | null) ?? String(signal),
  );
  return { run: id, child, output: () => output, ended };
}
