import { connectDocker } from '@cc-ci/core';
import { expect } from 'chai';
import { CommanderError } from 'commander';
import { describe, it } from 'mocha';
import { createLog } from './context.js';
import { buildProgram, COMMANDS } from './program.js';
import { type Call, FLAGS, type FlagName, type Group, type Verb } from './verbs.js';

/** What a command line means: the verb, its arguments and flags; or what is said against it. */
async function meaning(...argv: string[]): Promise<{ verb: string; call: Call } | string> {
  let found: { verb: string; call: Call } | undefined;
  let said = '';
  const write = (text: string) => {
    said += text;
  };
  const abra = {
    dir: '/nowhere',
    env: {},
    docker: connectDocker(),
    signal: new AbortController().signal,
    log: createLog(write),
    print: write,
    printError: write,
    awkward: new Set<never>(),
    noInput: false,
    offline: false,
  };
  const program = buildProgram(abra, { out: write, err: write }, async (verb, call) => {
    found = { verb: verb.name, call };
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  return found ?? said;
}

async function parsed(...argv: string[]): Promise<{ verb: string; call: Call }> {
  const result = await meaning(...argv);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

/** Every verb with the words before it, as `app secret generate`. */
function allVerbs(groups: readonly (Group | Verb)[], words: readonly string[] = []): [string[], Verb][] {
  return groups.flatMap((entry) =>
    'verbs' in entry
      ? allVerbs(entry.verbs, [...words, entry.name])
      : [[[...words, entry.name], entry] as [string[], Verb]],
  );
}

/** What cc-ci and its users type, in abra's own letters: the command, an alias, the flags it takes. */
const CONTRACT: readonly [command: string, alias: string, flags: string][] = [
  ['app new', 'app n', '-s -D -S -C -p'],
  ['app deploy', 'app d', '-C -f -D -c -l -U'],
  ['app upgrade', 'app up', '-f -D -c -r'],
  ['app rollback', 'app rl', '-f -D -c'],
  ['app undeploy', 'app un', '-p'],
  ['app remove', 'app rm', '-f'],
  ['app restart', 'app re', '-a'],
  ['app config', 'app cfg', ''],
  ['app check', 'app chk', '-C'],
  ['app services', 'app sr', '-C'],
  ['app list', 'app ls', '-S -s -r -m'],
  ['app ps', 'app p', '-m -C'],
  ['app logs', 'app l', '-s -S'],
  ['app secret generate', 'app secret g', '-a -m -p -C'],
  ['app secret insert', 'app secret i', '-f -t -p -C'],
  ['app secret remove', 'app secret rm', '-a -p -C'],
  ['app secret list', 'app secret ls', '-m -C'],
  ['app volume list', 'app volume ls', ''],
  ['app volume remove', 'app volume rm', '-f'],
  ['app run', 'app r', '-t -u'],
  ['app cmd', 'app command', '-l -u -t -C'],
  ['app cmd ls', 'app command ls', '-C'],
  ['app cp', 'app c', ''],
  ['app backup create', 'app backup c', '-r -C'],
  ['app backup list', 'app backup ls', '-s -a -t'],
  ['app backup snapshots', 'app backup s', ''],
  ['app backup download', 'app backup d', '-s -p --volumes --secrets'],
  ['app restore', 'app rs', '-s -t -C'],
  ['recipe fetch', 'recipe f', '-a -f -s'],
  ['recipe lint', 'recipe l', '-e -C'],
  ['recipe ls', 'recipe list', '-p -m'],
  ['recipe versions', 'recipe v', '-m'],
  ['server add', 'server a', '-l'],
  ['server ls', 'server list', '-m'],
  ['server rm', 'server remove', ''],
];

/** As many words as the command needs. */
const words = (verb: Verb) => (verb.args?.match(/<[^>]+>/g) ?? []).map((_, index) => `word${index}`);
const shortOf = (flag: FlagName) => FLAGS[flag][0].split(/[ ,]/)[0] ?? '';
const withValue = (flag: FlagName) => FLAGS[flag][0].includes('<');

describe('the command line', () => {
  const verbs = new Map(
    allVerbs(COMMANDS).map(([path, verb]) => [path.join(' ').replace(/ call$/, ''), verb]),
  );

  it('has the commands of the contract and no others', () => {
    expect([...verbs.keys()].sort()).to.deep.equal(CONTRACT.map(([command]) => command).sort());
  });

  for (const [command, alias, flags] of CONTRACT) {
    it(`${command}: its alias, its flags in both forms, and no other flag`, async () => {
      const verb = verbs.get(command);
      if (!verb) throw new Error(`there is no ${command}`);
      const args = words(verb);
      expect((await parsed(...alias.split(' '), ...args)).verb).to.equal(verb.name);
      expect((verb.flags ?? []).map(shortOf).sort()).to.deep.equal(flags.split(' ').filter(Boolean).sort());
      for (const flag of Object.keys(FLAGS) as FlagName[]) {
        if (['noInput', 'offline', 'debug'].includes(flag)) continue;
        for (const form of FLAGS[flag][0].split(/, | </).filter((part) => part.startsWith('-'))) {
          const result = await meaning(
            ...command.split(' '),
            ...args,
            form,
            ...(withValue(flag) ? ['value'] : []),
          );
          const taken = (verb.flags ?? []).find((own) => FLAGS[own][0].split(/[ ,]+/).includes(form));
          if (taken === undefined) {
            expect(result, form).to.be.a('string').that.includes(`unknown flag: ${form}`);
          } else if (withValue(taken) === withValue(flag)) {
            expect(typeof result === 'string' ? result : result.call.has(taken), form).to.equal(true);
          }
        }
      }
    });
  }

  it('takes the flags for everything before, between and behind its words, and in one', async () => {
    for (const argv of [
      ['-n', '-o', 'app', 'deploy', 'x', '-C'],
      ['app', '-n', 'deploy', '--offline', '-C', 'x'],
      ['app', 'deploy', 'x', '-C', '--no-input', '-o'],
      ['app', 'deploy', 'x', '-Cno'],
      ['-no', 'app', 'deploy', '-C', 'x'],
    ]) {
      const { call } = await parsed(...argv);
      expect(call.abra, argv.join(' ')).to.include({ noInput: true, offline: true });
      expect(call.has('chaos')).to.equal(true);
      expect(call.args).to.deep.equal(['x']);
    }
    expect((await parsed('app', 'deploy', 'x')).call.abra).to.include({ noInput: false, offline: false });
  });

  it('takes values behind a space or an equals sign', async () => {
    const { call } = await parsed('app', 'new', 'wiki', '-n', '--domain=x.test', '-s', 'default');
    expect([call.text('domain'), call.text('server'), call.text('secrets')]).to.deep.equal([
      'x.test',
      'default',
      undefined,
    ]);
  });

  it('leaves what follows -- to the command it is meant for', async () => {
    const { call } = await parsed('app', 'run', 'x', 'app', '-t', '--', 'ls', '-n', '--all', '--', 'z');
    expect(call.args).to.deep.equal(['x', 'app', 'ls', '-n', '--all', '--', 'z']);
    expect(call.has('noTty')).to.equal(true);
    expect(call.abra.noInput).to.equal(false);
    const cmd = await parsed('app', 'cmd', '-C', 'x', 'app', 'fn', '--', '-C');
    expect(cmd.call.args).to.deep.equal(['x', 'app', 'fn', '-C']);
  });

  it('says what it does not know', async () => {
    expect(await meaning('app', 'undeploy', 'x', '--chaos')).to.equal('FATA unknown flag: --chaos\n');
    expect(await meaning('app', 'volume', 'remove', 'x', '-C')).to.equal('FATA unknown flag: -C\n');
    expect(await meaning('app', 'undeply', 'x')).to.include("FATA unknown command 'undeply'");
    expect(await meaning('app', 'undeploy')).to.include('FATA missing required argument');
    expect(await meaning('app', 'undeploy', 'x', 'y')).to.include('FATA too many arguments');
  });

  it('says its version, by which nobody takes it for the real one', async () => {
    for (const flag of ['-v', '--version'])
      expect(await meaning(flag)).to.equal('abra version 0.0.0-standin\n');
  });
});
