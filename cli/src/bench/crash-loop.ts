import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CcCiError, newRunId, type RunRecord, run } from '@cc-ci/core';
import type { Rig } from '../testing/rig.js';
import { type Measure, measured } from './measure.js';

const RECIPE = 'custom-html';
const QUESTION = {
  name: 'a crash-looping service is reported, from the start of its deployment on',
  unit: 's',
  bound: 'at-most',
  limit: 10,
} as const;

/** Deploys a recipe of one service that ends at once with exit code 1, and takes the time until its stage has failed. */
export async function measureCrashLoop(rig: Rig): Promise<Measure> {
  const { src } = await rig.recipe(RECIPE, 'good-change');
  const dir = join(rig.dir, 'crash-loop', RECIPE);
  await run('git', ['clone', '--quiet', '--branch=good-change', '--', src, dir]);
  const file = join(dir, 'compose.yml');
  const compose = await readFile(file, 'utf8');
  const broken = compose.replace(
    /^( +)image: .*$/m,
    (line, indent) => `${line}\n${indent}entrypoint: ["sh", "-c", "exit 1"]`,
  );
  if (broken === compose) throw new CcCiError(`${file} names no image`);
  await writeFile(file, broken);
  const id = newRunId();
  const runner = rig.spawn(id, ['run', RECIPE, `--dir=${dir}`, `--run=${id}`, '--stage=install']);
  await runner.ended;
  const record = await rig.record(id);
  const found = record && timeToFailure(record);
  return measured(
    QUESTION,
    found?.seconds,
    found ?? { problem: 'it was not reported', output: runner.output() },
  );
}

/** From the first deployment's start to the end of the stage that failed of it; undefined where that was not said. */
export function timeToFailure({ stages }: RunRecord): { seconds: number; said: string } | undefined {
  const stage = stages.find((it) => it.state === 'failed');
  const began = stage?.phases.find(({ name }) => name === 'deploy')?.startedAt;
  if (stage?.failure?.blame !== 'recipe' || !stage.finishedAt || !began) return undefined;
  if (!/keeps ending/.test(stage.failure.message)) return undefined;
  return { seconds: (Date.parse(stage.finishedAt) - Date.parse(began)) / 1000, said: stage.failure.message };
}
