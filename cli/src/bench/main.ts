import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeError } from '@cc-ci/core';
import { z } from 'zod';
import { parse } from '../parse.js';
import { startRig } from '../testing/rig.js';
import { measureBridge } from './bridge.js';
import { measureCrashLoop } from './crash-loop.js';
import { measureDashboard } from './dashboard.js';
import type { Measure } from './measure.js';
import { measureRuns } from './overhead.js';
import { measureRedaction } from './redaction.js';

// `npm run bench [-- --rounds 5 --only bridge]`: what cc-ci promises of its own speed, measured on this machine, as
// one JSON document on stdout. Exit code 1 where a limit is broken, 2 where it could not be measured.
const REDACTION_SCRIPT = fileURLToPath(new URL('../../../scripts/bench/redaction.mjs', import.meta.url));

/** Parts that can be measured alone: `runs` needs Docker, and is the slowest. */
const PARTS = ['redaction', 'bridge', 'dashboard', 'runs'] as const;
type Part = (typeof PARTS)[number];

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, only: { type: 'string' } },
});
const tell = (line: string) => void process.stderr.write(`${line}\n`);
try {
  const rounds = parse(z.coerce.number().int().min(1).max(50), values.rounds, '--rounds');
  const only = values.only === undefined ? PARTS : [parse(z.enum(PARTS), values.only, '--only')];
  const measures = await measureAll(only, rounds);
  const machine = {
    node: process.version,
    cpus: cpus().length,
    memoryMb: Math.round(totalmem() / 1024 / 1024),
  };
  const ok = measures.every((measure) => measure.ok);
  process.stdout.write(
    `${JSON.stringify({ at: new Date().toISOString(), machine, ok, measures }, null, 2)}\n`,
  );
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  tell(`bench: ${describeError(error)}`);
  process.exitCode = 2;
}

/** One after the other: they would measure each other. */
async function measureAll(parts: readonly Part[], rounds: number): Promise<Measure[]> {
  const measures: Measure[] = [];
  if (parts.includes('redaction')) {
    tell('redaction');
    measures.push(await measureRedaction(REDACTION_SCRIPT));
  }
  if (parts.includes('bridge')) measures.push(...(await measureBridge(tell)));
  if (parts.includes('dashboard')) measures.push(...(await measureDashboard(tell)));
  if (parts.includes('runs')) measures.push(...(await measureOnDocker(rounds)));
  return measures;
}

async function measureOnDocker(rounds: number): Promise<Measure[]> {
  tell('edge, certificate and images');
  const rig = await startRig(['nginx']);
  try {
    tell('a service that crashes');
    const crashLoop = await measureCrashLoop(rig);
    tell(`${rounds} rounds of runs, by cc-ci and by hand`);
    return [...(await measureRuns(rig, rounds, tell)), crashLoop];
  } finally {
    await rig.close();
  }
}
