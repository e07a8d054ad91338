import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  CommandFailedError,
  type Config,
  connectDocker,
  describeError,
  disconnectDocker,
  dockerInfo,
  olderThan,
  run,
  STAGES,
  type StageName,
  sortVersions,
  type TestRequest,
} from '@cc-ci/core';
import { findChromium } from '@cc-ci/runner';
import { git } from './git.js';
import type { LocalRequest } from './local-request.js';
import { listRefs } from './refs.js';

/** A program a run needs: its version, or what is wrong with it and how to mend that. */
export type Program = { name: string; version: string } | { name: string; problem: string };

/** What `cc-ci run` would do. Nothing of it was started. */
export interface LocalPlan {
  request: TestRequest;
  /** The working tree a snapshot was taken of; the snapshot itself is gone again. */
  worktree?: { dir: string; head: string; changed: string[] };
  /** How the commit was found. */
  what: string;
  stages: { stage: StageName; done: boolean }[];
  keep: boolean;
  /** Published versions, the newest first. */
  versions: string[];
  /** Where an upgrade would start from; `sure` unless the commit's own version could not be read cheaply. */
  base?: { version: string; sure: boolean };
  tests: { folder: string; files: string[] };
  programs: Program[];
  zone: string;
  /** The reverse proxy's address, or `DNS`. */
  edge: string;
  stateDir: string;
  /** Seconds. */
  limits: { run: number; deploy: number; tests: number };
}

export interface PlanOptions {
  config: Config<'common' | 'runner'>;
  signal: AbortSignal;
  timeoutMs: number;
  only: readonly StageName[] | undefined;
  keep: boolean;
}

/**
 * Finds out what a run of this request would be, by looking only.
 * @throws InputError when the repository of the recipe cannot be read
 */
export async function makePlan(local: LocalRequest, options: PlanOptions): Promise<LocalPlan> {
  const { config, signal, only } = options;
  const { request, snapshot } = local;
  const { edgeAddress, testsDir, zone, deployTimeout, testTimeout } = config.runner;
  const [refs, programs, tests] = await Promise.all([
    listRefs(request.origin ?? request.src, signal),
    findPrograms(options),
    testFiles(resolve(testsDir, request.recipe)),
  ]);
  const base = baseOf(refs.tags, request.ref, await ownVersion(request, signal));
  return {
    request,
    ...(snapshot ? { worktree: { dir: snapshot.dir, head: snapshot.head, changed: snapshot.changed } } : {}),
    what: local.what,
    stages: STAGES.map((stage) => ({
      stage,
      done: stage === 'teardown' ? !options.keep : stage === 'prepare' || !only || only.includes(stage),
    })),
    keep: options.keep,
    versions: sortVersions(refs.tags.keys()).reverse(),
    ...(base ? { base } : {}),
    tests,
    programs,
    zone,
    edge: edgeAddress ? `${edgeAddress.host}:${edgeAddress.port}` : 'DNS',
    stateDir: config.common.stateDir,
    limits: { run: options.timeoutMs / 1000, deploy: deployTimeout, tests: testTimeout },
  };
}

/** The version a recipe says it has: the label that abra reads (abra contract 5.1). */
const VERSION_LABEL = /coop-cloud\.\$\{STACK_NAME\}\.version=([^"'\s]+)/;

/** The version the commit itself says; undefined where it would have to be fetched first. */
async function ownVersion({ src, ref }: TestRequest, signal: AbortSignal): Promise<string | undefined> {
  if (!src.startsWith('/')) return undefined;
  try {
    return VERSION_LABEL.exec(await git(['-C', src, 'show', `${ref}:compose.yml`], { signal }))?.[1];
  } catch (error) {
    if (error instanceof CommandFailedError) return undefined; // prepare will say what is wrong with it
    throw error;
  }
}

/**
 * The newest published version older than the commit. One that is published itself has its tag's version; of another
 * whose version is not known, the newest of all is the likely one.
 */
export function baseOf(
  tags: ReadonlyMap<string, string>,
  commit: string,
  own: string | undefined,
): LocalPlan['base'] {
  const tag = sortVersions([...tags].filter(([, it]) => it === commit).map(([name]) => name)).at(-1);
  const version = tag ?? own;
  const candidates = version === undefined ? sortVersions(tags.keys()) : olderThan(tags.keys(), version);
  const base = candidates.at(-1);
  return base === undefined ? undefined : { version: base, sure: version !== undefined };
}

async function testFiles(folder: string): Promise<LocalPlan['tests']> {
  try {
    const names = await readdir(folder, { recursive: true });
    return { folder, files: names.filter((name) => /\.[cm]?[jt]s$/.test(name)).sort() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { folder, files: [] };
    throw error;
  }
}

const PROGRAM_TIMEOUT_MS = 15_000;

async function findPrograms({ config, signal }: PlanOptions): Promise<Program[]> {
  const says = async (file: string) => {
    const { stdout } = await run(file, ['--version'], { signal, timeoutMs: PROGRAM_TIMEOUT_MS });
    return stdout.trim().split('\n')[0] ?? '';
  };
  const looks: [string, () => Promise<string>][] = [
    ['node', async () => process.version],
    ['git', () => says('git')],
    ['docker', dockerVersion],
    ['abra', () => says(config.runner.abra)],
    [
      'chromium',
      async () => {
        const file = await findChromium(config.runner.chromium);
        return `${await says(file)} (${file})`;
      },
    ],
  ];
  return Promise.all(
    looks.map(async ([name, look]) => {
      try {
        return { name, version: await look() };
      } catch (error) {
        return { name, problem: describeError(error) };
      }
    }),
  );
}

async function dockerVersion(): Promise<string> {
  const docker = connectDocker();
  try {
    const { ServerVersion, Swarm } = await dockerInfo(docker);
    const manager = Swarm.LocalNodeState === 'active' && Swarm.ControlAvailable;
    if (!manager) throw new Error(`${ServerVersion}, but no Swarm manager; run: docker swarm init`);
    return `${ServerVersion}, Swarm manager`;
  } finally {
    await disconnectDocker(docker);
  }
}

/** The plan for people. */
export function planLines(plan: LocalPlan): string[] {
  const { request, worktree, base, tests, limits } = plan;
  const done = plan.stages.filter((it) => it.done).map(({ stage }) => stage);
  const left = plan.stages.filter((it) => !it.done).map(({ stage }) => stage);
  const from = worktree ? worktree.dir : request.src;
  const rows: [string, string][] = [
    ['recipe', request.recipe],
    ['commit', `${request.ref}${plan.what ? `  (${plan.what})` : ''}`],
    ['from', from],
    ['versions', plan.versions.length > 0 ? plan.versions.slice(0, 5).join(', ') : 'none published'],
    ['upgrade from', baseWords(base)],
    ['stages', done.join(', ')],
    ...(left.length > 0 ? [['left out', left.join(', ')] as [string, string]] : []),
    ...(plan.keep ? [['kept', 'the app stays up until cc-ci teardown'] as [string, string]] : []),
    [
      'tests',
      tests.files.length > 0
        ? `${join(tests.folder, '/')}{${tests.files.join(', ')}}`
        : `none in ${tests.folder} (CC_CI_TESTS_DIR): only the generic checks`,
    ],
    ...plan.programs.map((it): [string, string] => [
      it.name,
      'version' in it ? it.version : `MISSING: ${it.problem}`,
    ]),
    ['app', `at a name below ${plan.zone}, reached by ${plan.edge}`],
    ['record', join(plan.stateDir, 'runs', request.run)],
    [
      'limits',
      `the run ${limits.run} s, a deployment ${limits.deploy} s, the tests of a stage ${limits.tests} s`,
    ],
  ];
  return [...rows.map(([name, value]) => `${name.padEnd(12)}  ${value}`), 'Nothing was started.'];
}

function baseWords(base: LocalPlan['base']): string {
  if (!base) return 'nothing: no older version is published';
  return base.sure
    ? base.version
    : `${base.version}, or the one before if the commit says it is that version`;
}
