import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Diagnosis,
  describeError,
  diagnose,
  type GroupName,
  inspectConfig,
  loadConfig,
} from '@cc-ci/core';
import type { Command } from 'commander';

/** One room's look at itself and what it needs. */
interface Examination {
  /** What it needs to know; it is left out where one of these settings is missing or wrong. */
  groups: readonly GroupName[];
  examine: (env: NodeJS.ProcessEnv) => Promise<Diagnosis[]>;
}

/** All of them, in the order they are told. A room that has something to look at adds a line. */
const EXAMINATIONS: readonly Examination[] = [
  {
    groups: ['common', 'bridge'],
    examine: async (env) =>
      (await import('@cc-ci/bridge')).examineBridge(loadConfig(['common', 'bridge'], env)),
  },
  { groups: ['common', 'engine'], examine: examineEngine },
  {
    groups: ['common', 'runner'],
    examine: async (env) =>
      (await import('@cc-ci/runner')).examineRunner(loadConfig(['common', 'runner'], env)),
  },
  {
    groups: ['runner', 'engine', 'host'],
    examine: async (env) => {
      const { examineHost, hostParts, loadHostConfig } = await import('@cc-ci/reconcile');
      const config = loadHostConfig(env);
      return examineHost({ config, parts: (docker) => hostParts(config, docker), env });
    },
  },
];

/** `cc-ci doctor`: what is well, what is not, and what to do about it. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'look at settings, forge, engine, Docker, abra, DNS, edge and registry, and, on a host, at its certificate, parts and units; say what to do about what is not well',
    )
    .option('--abra', 'instead, hold the abra on PATH (or CC_CI_ABRA) against all that runs rely on')
    .addHelpText(
      'after',
      '\nEach line begins with ok, warn, fail, or ?: it could not be looked at.\nExit code: 1 when something cannot work like this, 0 otherwise.',
    )
    .action(async ({ abra = false }: { abra?: boolean }) => {
      const diagnoses = await (abra ? examineAbraContract() : examineAll());
      process.stdout.write(`${doctorLines(diagnoses).join('\n')}\n`);
      process.exitCode = diagnoses.some(({ state }) => state === 'fail') ? 1 : 0;
    });
}

/** Everything there is to look at. Rooms whose settings are wrong are left out: the settings are told. */
export async function examineAll(env: NodeJS.ProcessEnv = process.env): Promise<Diagnosis[]> {
  const { settings, problems } = inspectConfig(env);
  const engine = settings.find(({ group, name }) => group === 'engine' && name === 'kind')?.value;
  const isSet = (one: GroupName) =>
    settings.some(({ group, origin }) => group === one && (origin === 'environment' || origin === 'file'));
  // A host that only runs builds for a Drone server has no bridge.
  const noBridge = engine === 'drone' && !isSet('bridge');
  const wrong = settings.flatMap(({ group, problem, origin }) => {
    if (problem === undefined) return [];
    // What is missing for what is not used is missed by nobody.
    const unused = (group === 'drone' && engine !== 'drone') || (group === 'bridge' && noBridge);
    return origin === 'not set' && unused ? [] : [{ group, problem }];
  });
  const told = [...problems, ...wrong.map(({ problem }) => problem)].map((problem) =>
    diagnose.fail(
      'settings',
      problem,
      'cc-ci config shows what is in force; docs/configuration.md what may be',
    ),
  );
  const all = told.length === 0 ? [diagnose.ok('settings', 'all well')] : told;
  if (problems.length > 0) return all;
  for (const { groups, examine } of EXAMINATIONS) {
    if (wrong.some(({ group }) => groups.includes(group))) continue;
    if (noBridge && groups.includes('bridge')) {
      all.push(diagnose.unknown('bridge', 'none is set up here, and so no forge was looked at'));
      continue;
    }
    try {
      all.push(...(await examine(env)));
    } catch (error) {
      all.push(diagnose.fail(groups.at(-1) ?? '', describeError(error), 'this is a fault of cc-ci; tell us'));
    }
  }
  return all;
}

async function examineAbraContract(): Promise<Diagnosis[]> {
  const { holdAgainstContract } = await import('@cc-ci/runner');
  return holdAgainstContract(loadConfig(['runner']).runner.abra);
}

async function examineEngine(env: NodeJS.ProcessEnv): Promise<Diagnosis[]> {
  const { common, engine } = loadConfig(['common', 'engine'], env);
  if (engine.kind === 'drone') {
    const said = 'Drone; the bridge that runs here says whether it answers';
    return [diagnose.ok('engine', said)];
  }
  const what = `embedded, ${engine.maxTests} at once`;
  // Looking must not make it: it would belong to whoever looks.
  if (!existsSync(join(common.stateDir, 'engine.sqlite'))) {
    return [diagnose.ok('engine', `${what}; no build yet`)];
  }
  const { openEngineReader } = await import('@cc-ci/engine');
  const reader = openEngineReader(common.stateDir);
  try {
    const [last] = await reader.list({ limit: 1 });
    const newest = last ? `the newest build is ${last.id}, ${last.state}` : 'no build yet';
    return [diagnose.ok('engine', `${what}; ${newest}`)];
  } catch (error) {
    const todo = `see that ${common.stateDir} can be read and written by this user`;
    return [diagnose.fail('engine', describeError(error), todo)];
  } finally {
    reader.close();
  }
}

const PART_WIDTH = 16;

/** What was found, for people: a line each, and below it what to do. */
export function doctorLines(diagnoses: readonly Diagnosis[]): string[] {
  return diagnoses.flatMap(({ state, part, said, todo }) => [
    `${(state === 'unknown' ? '?' : state).padEnd(5)} ${part.padEnd(PART_WIDTH)} ${said}`,
    ...(todo === undefined ? [] : [`${''.padEnd(5)} ${''.padEnd(PART_WIDTH)} → ${todo}`]),
  ]);
}
