import { cp, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CcCiError, type Phase, type RunRecord, type StageName, stageLogFile } from '@cc-ci/core';
import type { Rig, RunnerProcess } from '../testing/rig.js';

/** A command that the runner gave, when it gave it. */
export interface Command {
  at: number;
  argv: string[];
  env?: NodeJS.ProcessEnv;
}

/** One phase of a run and the commands of others that it gave: git's by its log, test processes as they were seen. */
export interface ReferencePhase {
  stage: StageName;
  name: Phase['name'];
  /** Milliseconds it took the runner. */
  durationMs: number;
  git: Command[];
  tests: Command[];
}

/** What one real run did, to be done again by hand. */
export interface Reference {
  run: string;
  dir: string;
  domain: string;
  stack: string;
  phases: ReferencePhase[];
  /** A copy of the app's files: `app.json`, `app.env`, and what the runner added to the recipe. */
  files: string;
}

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
    return { run: runner.run, dir: record.dir, domain, stack, phases: await phasesOf(record, tests), files };
  } finally {
    await rig.spawn(runner.run, ['teardown', runner.run]).ended;
  }
}

const LOOK_MS = 25;

/** Notes every test process of a run as it appears, until the run has ended. */
async function watchTests({ child, ended }: RunnerProcess): Promise<Command[]> {
  const seen = new Map<number, Command>();
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
      if (env.CC_CI_APP_FILE)
        seen.set(pid, { at: Date.now(), argv: await nulSeparated(`/proc/${pid}/cmdline`), env });
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

async function phasesOf({ dir, stages }: RunRecord, tests: readonly Command[]): Promise<ReferencePhase[]> {
  const phases: ReferencePhase[] = [];
  for (const { stage, phases: own } of stages) {
    if (own.length === 0) continue;
    const git = loggedCommands(await readFile(stageLogFile(dir, stage), 'utf8'), 'git');
    for (const phase of own) {
      phases.push({
        stage,
        name: phase.name,
        durationMs: durationOf(phase),
        git: during(phase, git),
        tests: during(phase, tests),
      });
    }
  }
  return phases;
}

export function durationOf({ startedAt, finishedAt }: Pick<Phase, 'startedAt' | 'finishedAt'>): number {
  return finishedAt === undefined ? 0 : Date.parse(finishedAt) - Date.parse(startedAt);
}

/** The commands given within a phase. */
export function during(
  phase: Pick<Phase, 'startedAt' | 'finishedAt'>,
  commands: readonly Command[],
): Command[] {
  const [from, to] = [Date.parse(phase.startedAt), Date.parse(phase.finishedAt ?? phase.startedAt)];
  return commands.filter(({ at }) => at >= from && at <= to);
}

/** The commands of one program in a stage's log: lines `<time> $ <program> <arguments>`; no argument has spaces in it. */
export function loggedCommands(log: string, program: string): Command[] {
  return log.split('\n').flatMap((line) => {
    const [, time, text = ''] = /^(\S+) \$ (.*)$/.exec(line) ?? [];
    const argv = text.split(' ');
    return time !== undefined && basename(argv[0] ?? '') === program ? [{ at: Date.parse(time), argv }] : [];
  });
}

/**
 * Milliseconds that one program took by a stage's log: from each of its commands to the next command or phase. The last
 * one of a log, whose end is not written there, is not counted.
 */
export function loggedTime(log: string, program: string): number {
  const marks = log.split('\n').flatMap((line) => {
    const [, time, kind, first = ''] = /^(\S+) (\$|--) (\S+)/.exec(line) ?? [];
    return time === undefined
      ? []
      : [{ at: Date.parse(time), own: kind === '$' && basename(first) === program }];
  });
  return marks.reduce(
    (total, { at, own }, index) => total + (own ? (marks[index + 1]?.at ?? at) - at : 0),
    0,
  );
}
