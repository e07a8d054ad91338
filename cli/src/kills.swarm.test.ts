import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { newRunId, runFolder } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { nodeState } from './testing/node-state.js';
import { makeProbe } from './testing/probe-recipe.js';
import { findProcesses } from './testing/processes.js';
import { type Rig, type RunnerProcess, startRig } from './testing/rig.js';

/** How many runs are killed: few in every test run, 60 and more by hand (`KILLS=60 npm test -- cli/dist/kills`). */
const KILLS = Number(process.env.KILLS ?? 3);
/** Killed side by side. */
const AT_ONCE = 3;
/** A whole run of the probe takes about so long, in milliseconds. */
const WHOLE_RUN_MS = 60_000;

describe('runs killed at any moment', function () {
  this.timeout(120_000 * Math.ceil(KILLS / AT_ONCE) + 300_000);
  let rig: Rig;
  let request: string[];
  let testsDir: string;

  before(async () => {
    rig = await startRig([]);
    const probe = await makeProbe(join(rig.dir, 'probe'), {});
    request = [`--ref=${probe.ref}`, `--src=${probe.src}`];
    testsDir = probe.testsDir;
  });
  after(() => rig.close());

  const start = (): RunnerProcess => {
    const id = newRunId();
    return rig.spawn(id, ['run', 'probe', `--run=${id}`, ...request], { CC_CI_TESTS_DIR: testsDir });
  };

  /** Kills the runner at a random moment of its run, and its watchdog first: nobody cleans up at once. */
  async function killAtRandom(): Promise<string> {
    const runner = start();
    const moment = randomInt(WHOLE_RUN_MS);
    await Promise.race([delay(moment), runner.ended]);
    for (const pid of await findProcesses('watchdog', runFolder(rig.stateDir, runner.run)))
      process.kill(pid, 'SIGKILL');
    runner.child.kill('SIGKILL');
    await runner.ended;
    return `${runner.run} after ${moment} ms`;
  }

  it(`leave nothing after one janitor pass, and a live neighbour unharmed (${KILLS} killed)`, async () => {
    const killed: string[] = [];
    let neighbour = start();
    while (killed.length < KILLS) {
      const many = Math.min(AT_ONCE, KILLS - killed.length);
      killed.push(...(await Promise.all(Array.from({ length: many }, killAtRandom))));
      // The neighbour's own prepare is a janitor pass: begin a new one only when the one before has ended well.
      if (neighbour.child.exitCode !== null && killed.length < KILLS) {
        expect(await neighbour.ended, neighbour.output()).to.equal(0);
        neighbour = start();
      }
    }
    const janitor = rig.spawn('janitor', ['janitor']);
    expect(await janitor.ended, janitor.output()).to.equal(0);
    expect(await neighbour.ended, neighbour.output()).to.equal(0);
    // Every name of a run's app holds the run's id, so nobody else's things are looked at.
    const ids = killed.map((line) => line.split(' ')[0] ?? '');
    const left = Object.values(await nodeState())
      .flat()
      .filter((name) => ids.some((id) => name.includes(id)));
    expect(left, killed.join('\n')).to.deep.equal([]);
    for (const line of killed) {
      const [id = ''] = line.split(' ');
      const summary = (await rig.record(id))?.summary;
      // One that was killed before it had written its plan has left nothing, not even a record.
      if (summary) expect(summary.finishedAt, line).to.be.a('string');
    }
  });
});
