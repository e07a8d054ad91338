import { fileURLToPath } from 'node:url';
import { CancelledError, prNumber } from '@cc-ci/core';
import type { Command } from 'commander';
import { parse } from '../parse.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** `cc-ci demo`: the main job on one machine. Its parts are loaded when it is started; a run needs none of them. */
export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description(
      'show the whole way of one !testme on this machine: sandbox forge, bridge, engine, swarm, dashboard',
    )
    .option('--broken', 'open a pull request that must come out red; succeeds only if it was reported red')
    .option('--keep', 'leave everything running to be browsed, until Ctrl-C')
    .option('--dir <folder>', 'where the demo keeps its files', `${ROOT}.demo`)
    .action(async (flags: { broken?: boolean; keep?: boolean; dir: string }) => {
      const { demo, isInterruption } = await import('../demo/demo.js');
      const interrupted = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(signal, () => interrupted.abort(new CancelledError(`the demo was stopped (${signal})`)));
      }
      const print = (line: string) => void process.stdout.write(`${line}\n`);
      try {
        const asExpected = await demo({
          dir: flags.dir,
          testsDir: `${ROOT}tests`,
          broken: flags.broken ?? false,
          keep: flags.keep ?? false,
          signal: interrupted.signal,
          print,
        });
        print(asExpected ? 'The demo came out as it must.' : 'The demo did NOT come out as it must.');
        process.exitCode = asExpected ? 0 : 1;
      } catch (error) {
        if (!isInterruption(error)) throw error;
        print('The demo was stopped; nothing of it is left running.');
        process.exitCode = 130;
      }
    });

  program
    .command('demo-comment <text>')
    .description('comment on the pull request of a demo that was started with --keep')
    .option('--as <login>', 'alice is a member of the organisation, mallory is not', 'alice')
    .option('--recipe <name>', 'the recipe', 'custom-html')
    .option('--pr <number>', 'the pull request', '1')
    .option('--dir <folder>', 'where the demo keeps its files', `${ROOT}.demo`)
    .action(async (text: string, flags: { as: string; recipe: string; pr: string; dir: string }) => {
      const { commentAs } = await import('../demo/people.js');
      await commentAs(flags.dir, flags.as, flags.recipe, parse(prNumber, flags.pr, '--pr'), text);
    });
}
