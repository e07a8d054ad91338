import { join } from 'node:path';
import {
  connectDocker,
  type Docker,
  disconnectDocker,
  InputError,
  isTornDown,
  type RunRecord,
  readRun,
  runFolder,
  runId,
} from '@cc-ci/core';
import type { RunnerOptions } from '@cc-ci/runner';
import type { Command } from 'commander';
import { parse } from '../parse.js';
import { runnerOptions } from '../runner-options.js';

const REMOVE_TIMEOUT_MS = 180_000;

/** `cc-ci teardown`: what `cc-ci run --keep` left up. */
export function addTeardownCommand(program: Command): void {
  program
    .command('teardown <run>')
    .description('remove the app of a run that has ended: one that was kept, or whose teardown failed')
    .action(async (run: string) => {
      const id = parse(runId, run, 'run');
      const options = runnerOptions({});
      const { stateDir } = options.config.common;
      const record = await readRun(runFolder(stateDir, id));
      if (!record) throw new InputError(`there is no run ${id} below ${join(stateDir, 'runs')}`);
      if (!record.summary) {
        throw new InputError(`run ${id} has not ended`, {
          hint: 'stop it (Ctrl-C), or clean up after it with cc-ci janitor if it was killed',
        });
      }
      const docker = connectDocker();
      try {
        const removed = isTornDown(record)
          ? await removeAgain(docker, record)
          : await tearDown(docker, record, options);
        options.terminal.print(
          removed.length > 0 ? `removed ${removed.join(', ')}` : `nothing of run ${id} was left on the node`,
        );
      } finally {
        options.terminal.close();
        await disconnectDocker(docker);
      }
    });
}

/** Does the run's own teardown stage, and tells what it took away. */
async function tearDown(docker: Docker, { run, plan }: RunRecord, options: RunnerOptions): Promise<string[]> {
  const { leftoversOf, runStage } = await import('@cc-ci/runner');
  const names = async () =>
    plan.app ? (await leftoversOf(docker, plan.app.stack)).map(({ kind, name }) => `${kind} ${name}`) : [];
  const before = await names();
  if ((await runStage('teardown', run, undefined, options)) !== 'passed') process.exitCode = 2;
  const after = new Set(await names());
  return before.filter((name) => !after.has(name));
}

async function removeAgain(docker: Docker, { plan }: RunRecord): Promise<string[]> {
  const { removeApp } = await import('@cc-ci/runner');
  return plan.app ? removeApp(docker, plan.app.stack, REMOVE_TIMEOUT_MS) : [];
}
