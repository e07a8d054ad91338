import { Command, Option } from 'commander';
import { appGroup } from './commands/app.js';
import { recipeGroup } from './commands/recipe.js';
import { serverGroup } from './commands/server.js';
import { type Abra, createLog } from './context.js';
import { type Call, FLAGS, type FlagName, type Group, type Verb } from './verbs.js';

/** Not of abra's own form, so that logs and records can tell this from the real tool. */
export const STANDIN_VERSION = '0.0.0-standin';

/** Flags that may stand before, between or after the words of any command. */
const ROOT_FLAGS: readonly FlagName[] = ['noInput', 'offline', 'debug'];

/** Every command there is. */
export const COMMANDS: readonly Group[] = [appGroup, recipeGroup, serverGroup];

/** Calls a verb; tests put their own in, to see what a command line means. */
export type Runner = (verb: Verb, call: Call) => Promise<void>;

/**
 * The `abra` command line.
 * @throws CommanderError (on parse) for anything that is not a known command, flag or number of arguments
 */
export function buildProgram(
  abra: Abra,
  write: { out(text: string): void; err(text: string): void },
  runner: Runner = (verb, call) => verb.run(call),
): Command {
  const program = new Command('abra')
    .description('A stand-in for the Co-op Cloud command line, for one local Docker Swarm')
    .version(`abra version ${STANDIN_VERSION}`, '-v, --version')
    // Each command parses its own words, so that `--` and what follows reach the command they are meant for.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: write.out,
      writeErr: write.err,
      outputError: (text, output) =>
        output(
          `FATA ${text.replace(/^error: unknown option '(.*)'/, 'unknown flag: $1').replace(/^error: /, '')}`,
        ),
    });
  addFlags(program, ROOT_FLAGS);
  const act = (verb: Verb, command: Command) => {
    const flags = command.optsWithGlobals<Partial<Record<FlagName, string | true>>>();
    return runner(verb, {
      abra: {
        ...abra,
        log: createLog(write.err, flags.debug === true),
        noInput: flags.noInput === true,
        offline: flags.offline === true,
      },
      args: command.args,
      has: (flag) => flags[flag] !== undefined,
      text: (flag) => {
        const value = flags[flag];
        return value === true ? undefined : value;
      },
    });
  };
  for (const group of COMMANDS) addGroup(program, group, act);
  return program;
}

type Act = (verb: Verb, command: Command) => Promise<void>;

function addGroup(parent: Command, group: Group, act: Act): void {
  const command = parent.command(group.name).description(group.about);
  if (group.alias) command.alias(group.alias);
  addFlags(command, ROOT_FLAGS);
  for (const entry of group.verbs) {
    if ('verbs' in entry) addGroup(command, entry, act);
    else addVerb(command, entry, act);
  }
}

function addVerb(parent: Command, verb: Verb, act: Act): void {
  const isDefault = verb.isDefault ?? false;
  const command = parent.command(verb.name, { isDefault, hidden: isDefault }).description(verb.about);
  if (verb.alias) command.alias(verb.alias);
  if (verb.args) command.arguments(verb.args);
  addFlags(command, [...ROOT_FLAGS, ...(verb.flags ?? [])]);
  command.action(() => act(verb, command));
}

function addFlags(command: Command, flags: readonly FlagName[]): void {
  for (const flag of flags) {
    const [form, about] = FLAGS[flag];
    const option = new Option(form, about);
    // commander would read `--no-x` as "x is false", and two flags may share a long name.
    option.negate = false;
    option.attributeName = () => flag;
    command.addOption(option);
  }
}
