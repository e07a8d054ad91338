import { join } from 'node:path';
import { CcCiError, CommandFailedError, InputError, type RunOptions, readAbraSh, run } from '@cc-ci/core';
import { type App, loadApp, loadAppSynced } from '../app.js';
import type { Abra } from '../context.js';
import { clientEnvironment } from '../deploy.js';
import { dockerClient, NO_TIMEOUT_MS } from '../docker-client.js';
import { containerOf, execIn, shellIn } from '../exec.js';
import { arg, type Call, type Group, type Verb } from '../verbs.js';

/** Commands that reach into containers. */
export const execVerbs: readonly Verb[] = [
  {
    name: 'run',
    alias: 'r',
    about: 'Run a command in a service',
    args: '<domain> <service> <command> [args...]',
    flags: ['noTty', 'user'],
    run: runCommand,
  },
  {
    name: 'cp',
    alias: 'c',
    about: 'Copy files to or from a service (one side is service:/path)',
    args: '<domain> <source> <destination>',
    run: copy,
  },
];

/** `abra app cmd`: functions of the recipe's `abra.sh`. */
export const cmdGroup: Group = {
  name: 'cmd',
  alias: 'command',
  about: "Run functions of the recipe's abra.sh",
  verbs: [
    {
      name: 'call',
      isDefault: true,
      about: 'Run a function',
      args: '<domain> [args...]',
      flags: ['local', 'user', 'noTty', 'chaos'],
      run: callFunction,
    },
    {
      name: 'ls',
      about: 'List the functions',
      args: '<domain>',
      flags: ['chaos'],
      run: async (call) => {
        const app = await loadAppSynced(call.abra, arg(call, 0), call.has('chaos'));
        for (const name of (await readAbraSh(app.folder)).functions) call.abra.print(name);
      },
    },
  ],
};

/** What comes out of a command goes where its own output goes, as it comes. */
function passOn(abra: Abra): Pick<RunOptions, 'onLine'> {
  return {
    onLine: (line, stream) => (stream === 'stdout' ? abra.print(line) : abra.printError(line)),
  };
}

/** abra asks for a terminal unless told not to, and Docker refuses where there is none. */
function requireNoTty(call: Call): void {
  if (call.has('noTty')) return;
  throw new InputError('the input device is not a TTY', {
    hint: 'this stand-in never has one: use --no-tty',
  });
}

async function runCommand(call: Call): Promise<void> {
  requireNoTty(call);
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  const container = await containerOf(abra, app, arg(call, 1));
  await execIn(abra, container, call.args.slice(2), { user: call.text('user'), ...passOn(abra) }).catch(
    shorten,
  );
}

/** The output was passed on already: an error that repeats it says everything twice. */
function shorten(error: unknown): never {
  const cause = error instanceof CommandFailedError ? error : (error as Error).cause;
  if (!(cause instanceof CommandFailedError)) throw error;
  const how =
    cause.exitCode === undefined ? 'was ended by a signal' : `failed with exit code ${cause.exitCode}`;
  throw new CcCiError(`the command ${how}`, { cause });
}

async function copy(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  const source = parseSide(arg(call, 1));
  const destination = parseSide(arg(call, 2));
  if ((source.service === undefined) === (destination.service === undefined)) {
    throw new InputError('one of source and destination must be service:/path, the other a local path');
  }
  const sideOf = async ({ service, path }: Side) =>
    service === undefined ? path : `${await containerOf(abra, app, service)}:${path}`;
  await dockerClient(abra, ['cp', await sideOf(source), await sideOf(destination)], {
    timeoutMs: NO_TIMEOUT_MS,
  });
}

interface Side {
  service: string | undefined;
  path: string;
}

function parseSide(text: string): Side {
  const match = /^([A-Za-z0-9_-]+):(\/.*)$/.exec(text);
  return match ? { service: match[1], path: match[2] ?? '' } : { service: undefined, path: text };
}

/** Where a container gets the recipe's script. */
const REMOTE_SCRIPT = '/tmp/abra.sh';
/** Sets abra's variables, reads the script, and calls the function; everything of ours comes as an argument. */
const CALL_FUNCTION = 'script=$1 TARGET=$2 APP_NAME=$3 STACK_NAME=$4; shift 4; . "$script"; "$@"';

async function callFunction(call: Call): Promise<void> {
  const { abra } = call;
  const local = call.has('local');
  const [name = '', ...rest] = call.args;
  const [service, words] = local ? [undefined, rest] : [rest[0], rest.slice(1)];
  if (!local && service === undefined) throw new InputError('missing <service>', { hint: 'or use --local' });
  if (words[0] === undefined)
    throw new InputError('missing <function>', { hint: `abra app cmd ls ${name} lists them` });
  const app = await loadAppSynced(abra, name, call.has('chaos'));
  await requireFunction(app, words[0]);
  await (service === undefined ? callHere(abra, app, words) : callThere(call, app, service, words));
}

async function requireFunction(app: App, name: string): Promise<void> {
  const { functions } = await readAbraSh(app.folder);
  if (functions.includes(name)) return;
  throw new InputError(`${app.recipe} doesn't have a ${name} function`, {
    hint: functions.length > 0 ? `it has ${functions.join(', ')}` : 'its abra.sh has none',
  });
}

async function callThere(call: Call, app: App, service: string, words: readonly string[]): Promise<void> {
  requireNoTty(call);
  const { abra } = call;
  const container = await containerOf(abra, app, service);
  await dockerClient(abra, ['cp', join(app.folder, 'abra.sh'), `${container}:${REMOTE_SCRIPT}`]);
  const shell = await shellIn(abra, container);
  const values = [REMOTE_SCRIPT, service, app.name, app.stack];
  await execIn(abra, container, [shell, '-c', CALL_FUNCTION, shell, ...values, ...words], {
    user: call.text('user'),
    ...passOn(abra),
  }).catch(shorten);
}

async function callHere(abra: Abra, app: App, words: readonly string[]): Promise<void> {
  const { exports } = await readAbraSh(app.folder);
  const values = [join(app.folder, 'abra.sh'), 'local', app.name, app.stack];
  await run('bash', ['-c', CALL_FUNCTION, 'bash', ...values, ...words], {
    cwd: app.folder,
    env: clientEnvironment({ ...app.env, ...exports }, abra.env).env,
    signal: abra.signal,
    ...passOn(abra),
  }).catch(shorten);
}
