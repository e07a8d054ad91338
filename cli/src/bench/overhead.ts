import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  CcCiError,
  connectDocker,
  disconnectDocker,
  newRunId,
  type RunRecord,
  run,
  stageLogFile,
} from '@cc-ci/core';
import { removeApp } from '@cc-ci/runner';
import { ABRA_EXECUTABLE } from '@cc-ci/sandbox';
import type { Rig, RunnerProcess } from '../testing/rig.js';
import { doByHand, phaseKey } from './by-hand.js';
import { handFor, prepareHand } from './hand.js';
import { type Measure, measured, median } from './measure.js';
import { countCalls, durationOf, type Reference, takeReference } from './reference.js';

const RECIPE = 'custom-html';
const REF = 'good-change';
const REMOVE_TIMEOUT_MS = 120_000;

const OVERHEAD = {
  name: 'runner overhead: wall time of a whole run, less the start-up of the abra stand-in, against the same docker, git and test commands by hand',
  unit: 'ratio',
  bound: 'at-most',
  limit: 1.15,
} as const;
const STAND_IN =
  'In production abra is a fast binary. Here a Node program stands in for it, and nobody who scripts the same by hand starts it: its start-up, measured with "abra --version", is taken out once for each call. All else that it does (docker stack deploy, waiting until an app is gone, backups) stays in.';
const MEMORY = { name: "the runner's own peak memory", unit: 'MB', bound: 'at-most', limit: 150 } as const;

/** One whole run by cc-ci: its wall time, its phases, and its own peak memory in MB. */
interface Timed {
  wallMs: number;
  phases: Record<string, number>;
  /** How often abra was called. */
  abraCalls: number;
  peakMb: number;
}

/**
 * Runs the sample recipe by cc-ci and by hand, in turn, and compares them round by round; watches the runner's memory.
 * The run from which the commands are taken warms both up.
 */
export async function measureRuns(
  rig: Rig,
  rounds: number,
  tell: (line: string) => void,
): Promise<Measure[]> {
  const reference = await takeReference(rig, RECIPE, REF, join(rig.dir, 'reference'));
  tell(`reference: ${reference.phases.length} phases`);
  const startMs = await standInStart(rig);
  const runs: Timed[] = [];
  const hands: { wallMs: number; phases: Record<string, number> }[] = [];
  for (let round = 1; round <= rounds; round++) {
    // Neither always has the place after the other.
    const turns = [
      async () => runs.push(await timedRun(rig)),
      async () => hands.push(await timedHand(rig, reference)),
    ];
    for (const turn of round % 2 === 1 ? turns : turns.reverse()) await turn();
    tell(
      `round ${round}: cc-ci ${seconds(runs.at(-1)?.wallMs)} s, by hand ${seconds(hands.at(-1)?.wallMs)} s`,
    );
  }
  // Round by round: the two of a round met the same load.
  const ratio = (own: readonly number[]) =>
    median(own.map((ms, round) => ms / (hands[round]?.wallMs ?? Number.NaN)));
  const judged = ratio(runs.map(({ wallMs, abraCalls }) => wallMs - abraCalls * startMs));
  const detail = {
    recipe: RECIPE,
    rounds,
    ccCiSeconds: runs.map(({ wallMs }) => seconds(wallMs)),
    byHandSeconds: hands.map(({ wallMs }) => seconds(wallMs)),
    abra: STAND_IN,
    abraCalls: runs.map(({ abraCalls }) => abraCalls),
    abraStartSeconds: seconds(startMs),
    ratioWithAbraStart: Math.round(ratio(runs.map(({ wallMs }) => wallMs)) * 1000) / 1000,
    phases: phaseTable(runs, hands),
  };
  const peaks = runs.map(({ peakMb }) => peakMb);
  return [
    measured(OVERHEAD, judged, detail),
    measured(MEMORY, Math.max(...peaks), {
      of: 'VmHWM of the process alone, the highest of all runs',
      peaks,
    }),
  ];
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const seconds = (ms = Number.NaN) => Math.round(ms / 10) / 100;

async function timedRun(rig: Rig): Promise<Timed> {
  const { src, ref } = await rig.recipe(RECIPE, REF);
  const id = newRunId();
  const started = performance.now();
  const runner = rig.spawn(id, ['run', RECIPE, `--run=${id}`, `--ref=${ref}`, `--src=${src}`]);
  const peakMb = await peakOf(runner);
  const code = await runner.ended;
  const wallMs = performance.now() - started;
  const record = await rig.record(id);
  if (code !== 0 || !record) throw new CcCiError(`a run that is measured must be green:\n${runner.output()}`);
  return { wallMs, phases: phasesOf(record), abraCalls: await abraCalls(record), peakMb };
}

function phasesOf({ stages }: RunRecord): Record<string, number> {
  const phases: Record<string, number> = {};
  for (const { stage, phases: own } of stages) {
    for (const phase of own) {
      const key = phaseKey({ stage, name: phase.name });
      phases[key] = (phases[key] ?? 0) + durationOf(phase);
    }
  }
  return phases;
}

async function abraCalls({ dir, stages }: RunRecord): Promise<number> {
  const done = stages.filter(({ phases }) => phases.length > 0);
  const logs = await Promise.all(done.map(({ stage }) => readFile(stageLogFile(dir, stage), 'utf8')));
  return sum(logs.map((log) => countCalls(log, basename(ABRA_EXECUTABLE))));
}

const STARTS = 7;

/** Milliseconds the stand-in takes to do nothing but say its version: the middle of several. */
async function standInStart({ dir, env }: Rig): Promise<number> {
  const times: number[] = [];
  for (let start = 1; start <= STARTS; start++) {
    const started = performance.now();
    await run(ABRA_EXECUTABLE, ['--version'], { env: { ...env, ABRA_DIR: dir } });
    times.push(performance.now() - started);
  }
  return median(times);
}

const LOOK_MS = 100;

/** The most memory the process has had until it ended, in MB; the kernel keeps the peak, so the last look counts. */
async function peakOf({ child, ended }: RunnerProcess): Promise<number> {
  let peakKb = 0;
  let live = true;
  void ended.then(() => {
    live = false;
  });
  while (live) {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peakKb = Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? peakKb);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return Math.round(peakKb / 1024);
}

async function timedHand(rig: Rig, reference: Reference) {
  const id = newRunId();
  const hand = handFor(reference, RECIPE, id, join(rig.dir, 'by-hand', id));
  try {
    await prepareHand(hand);
    const started = performance.now();
    const phases = await doByHand(hand);
    return { phases, wallMs: performance.now() - started };
  } finally {
    const docker = connectDocker();
    await removeApp(docker, hand.stack, REMOVE_TIMEOUT_MS).finally(() => disconnectDocker(docker));
  }
}

/** Where the difference comes from: medians in seconds, by phase. */
function phaseTable(runs: readonly Timed[], hands: readonly { phases: Record<string, number> }[]) {
  const keys = Object.keys(runs[0]?.phases ?? {});
  const middle = (all: readonly { phases: Record<string, number> }[], key: string) =>
    seconds(median(all.map(({ phases }) => phases[key] ?? 0)));
  return Object.fromEntries(
    keys.map((key) => [key, { ccCi: middle(runs, key), byHand: middle(hands, key) }]),
  );
}
