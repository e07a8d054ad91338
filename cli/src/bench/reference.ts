import { cp, readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CcCiError, type Phase, type RunRecord, type StageName, stageLogFile } from '@cc-ci/core';
import type { Rig, RunnerProcess } from '../testing/rig.js';

/** A command that the runner gave, when it gave it. */
export interface Command {
  at: number;
  program: 'git' | 'docker' | 'test';
  argv: string[];
}

/** A process with test code in it. */
export interface TestCommand extends Command {
  program: 'test';
  env: NodeJS.ProcessEnv;
  cwd: string;
}

/**
 * One phase of a run and the commands it gave, in their order: those of git and docker by its log, test processes as
 * they were seen. What was done between two phases counts as the later one's.
 */
export interface ReferencePhase {
  stage: StageName;
  name: Phase['name'];
  commands: (Command | TestCommand)[];
}

/** What one real run did, to be done again by hand. */
export interface Reference {
  run: string;
  dir: string;
  domain: string;
  stack: string;
  phases: ReferencePhase[];
  /**
   * Copies: the app's `app.json` and `app.env`, what the runner added to the recipe (`overlays`), and the tests as the
   * run had them (`test-code`).
   */
  files: string;
}

/** Where a run's folder has its tests; the same folder by hand. */
export const TEST_CODE = 'test-code';
/** Its links to packages stay links. */
export const COPY_LINKS = { recursive: true, verbatimSymlinks: true } as const;

/**
 * Does one run, keeps its app up to read everything that a teardown removes, and then removes it.
 * @param files folder for copies of the app's files; must not exist
 * @throws CcCiError when the run was not green: there is nothing to compare with then
 */
export async function takeReference(
  rig: Rig,
  recipe: string,
  ref: string,
  files: string,
): Promise<Reference> {
  const runner = await rig.start(recipe, ref, ['--keep']);
  const tests = await watchTests(runner);
  const record = await rig.record(runner.run);
  try {
    if ((await runner.ended) !== 0 || !record?.plan.app) {
      throw new CcCiError(`the run that was to be the measure of others is not green:\n${runner.output()}`);
    }
    const { domain, stack } = record.plan.app;
    await cp(join(record.dir, 'app.json'), join(files, 'app.json'));
    await cp(join(record.dir, 'abra/servers/default', `${domain}.env`), join(files, 'app.env'));
    for (const { file } of record.plan.overlays) {
      await cp(join(record.dir, 'abra/recipes', recipe, file), join(files, 'overlays', file));
    }
    await cp(join(record.dir, TEST_CODE), join(files, TEST_CODE), COPY_LINKS);
    return { run: runner.run, dir: record.dir, domain, stack, phases: await phasesOf(record, tests), files };
  } finally {
    await rig.spawn(runner.run, ['teardown', runner.run]).ended;
  }
}

const LOOK_MS = 25;

/**
 * Notes every test process of a run as it appears, until the run has ended. Those that only read `recipe.ts` have no
 * app: nobody's script does that, so their time is the runner's own.
 */
async function watchTests({ child, ended }: RunnerProcess): Promise<TestCommand[]> {
  const seen = new Map<number, TestCommand>();
  let live = true;
  void ended.then(() => {
    live = false;
  });
  while (live) {
    for (const pid of child.pid === undefined ? [] : await childrenOf(child.pid)) {
      if (seen.has(pid)) continue;
      const env = Object.fromEntries(
        (await nulSeparated(`/proc/${pid}/environ`)).map((pair) => {
          const at = pair.indexOf('=');
          return [pair.slice(0, at), pair.slice(at + 1)];
        }),
      );
      // Between fork and exec a child still is a copy of the runner.
      if (!env.CC_CI_APP_FILE) continue;
      const [argv, cwd] = [await nulSeparated(`/proc/${pid}/cmdline`), await readlink(`/proc/${pid}/cwd`)];
      seen.set(pid, { at: Date.now(), program: 'test', argv, env, cwd });
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return [...seen.values()];
}

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = threads.map((thread) =>
    readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => ''),
  );
  return (await Promise.all(lists)).join(' ').split(/\s+/).filter(Boolean).map(Number);
}

async function nulSeparated(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\0').slice(0, -1);
}

async function phasesOf(
  { dir, stages }: RunRecord,
  tests: readonly TestCommand[],
): Promise<ReferencePhase[]> {
  const phases: ReferencePhase[] = [];
  for (const { stage, phases: own } of stages) {
    const [first] = own;
    if (!first) continue;
    const log = await readFile(stageLogFile(dir, stage), 'utf8');
    const began = Date.parse(first.startedAt);
    const commands = [
      ...loggedCommands(log, 'git'),
      ...loggedCommands(log, 'docker'),
      ...tests.filter(({ at }) => at >= began),
    ];
    const parts = byPhase(own, commands);
    phases.push(...own.map(({ name }, index) => ({ stage, name, commands: parts[index] ?? [] })));
  }
  return phases;
}

/**
 * Deals commands out to the phases of a stage: each to the first that ends after it was given.
 * @param phases one after the other, as they were done
 */
export function byPhase<C extends Command>(
  phases: readonly Pick<Phase, 'finishedAt'>[],
  commands: readonly C[],
): C[][] {
  const inOrder = [...commands].sort((a, b) => a.at - b.at);
  let from = Number.NEGATIVE_INFINITY;
  return phases.map(({ finishedAt }) => {
    const to = finishedAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(finishedAt);
    const own = inOrder.filter(({ at }) => at >= from && at < to);
    from = to;
    return own;
  });
}

export function durationOf({ startedAt, finishedAt }: Pick<Phase, 'startedAt' | 'finishedAt'>): number {
  return finishedAt === undefined ? 0 : Date.parse(finishedAt) - Date.parse(startedAt);
}

/** The commands of one program in a stage's log: lines `<time> $ <program> <arguments>`; no argument has spaces in it. */
export function loggedCommands(log: string, program: 'git' | 'docker'): Command[] {
  return commandLines(log, program).map((line) => ({ ...line, program }));
}

/** How often a program was called by a stage's log. */
export function countCalls(log: string, program: string): number {
  return commandLines(log, program).length;
}

function commandLines(log: string, program: string): { at: number; argv: string[] }[] {
  return log.split('\n').flatMap((line) => {
    const [, time, text = ''] = /^(\S+) \$ (.*)$/.exec(line) ?? [];
    const argv = text.split(' ');
    return time !== undefined && basename(argv[0] ?? '') === program ? [{ at: Date.parse(time), argv }] : [];
  });
}
