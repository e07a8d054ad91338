import { constants } from 'node:os';
import { CancelledError, connectDocker, describeError, disconnectDocker } from '@cc-ci/core';
import { CommanderError } from 'commander';
import { awkwardOf, translate } from './awkward.js';
import { type Abra, abraDir, createLog } from './context.js';
import { buildProgram } from './program.js';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * The stand-in's `abra`: does what the arguments say.
 * @returns the exit code: 0, 1 for whatever went wrong, 128 and the signal's number when told to end
 */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const stop = new AbortController();
  let signalCode = 1;
  for (const name of SIGNALS) {
    process.once(name, () => {
      signalCode = 128 + constants.signals[name];
      stop.abort(new CancelledError(`ended by ${name}`));
    });
  }
  // Nobody reads any more (`abra app logs | head`).
  process.stdout.on('error', () => stop.abort(new CancelledError('stdout is closed')));

  const out = (text: string) => void process.stdout.write(text);
  const err = (text: string) => void process.stderr.write(text);
  let write = { out, err };
  let log = createLog(err);
  try {
    const awkward = awkwardOf(env);
    const say = awkward.has('stdout') ? out : err;
    write = { out, err: awkward.has('translated') ? (text) => say(translate(text)) : say };
    log = createLog(write.err);
    const docker = connectDocker(env.DOCKER_HOST);
    const abra: Abra = {
      dir: abraDir(env),
      env,
      docker,
      signal: stop.signal,
      log,
      awkward,
      print: (line) => write.out(`${line}\n`),
      printError: (line) => write.err(`${line}\n`),
      noInput: false,
      offline: false,
    };
    try {
      await buildProgram(abra, write).parseAsync(argv, { from: 'user' });
      return 0;
    } finally {
      await disconnectDocker(docker);
    }
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    if (stop.signal.aborted) return signalCode;
    log.fatal(describeError(error));
    return 1;
  }
}
