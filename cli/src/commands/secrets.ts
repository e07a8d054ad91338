import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { HostKind, SecretDefinition, SecretsReport, WriteOptions } from '@cc-ci/reconcile/secrets';
import { type Command, Option } from 'commander';
import { askHidden } from '../ask-hidden.js';

interface SecretsFlags {
  host?: string;
  file?: string;
  for: HostKind;
  values?: string;
}

/** As `cc-ci reconcile`: something is missing that only a person can give, or put right. */
const BLOCKED = 4;
const FAILED = 2;

/** `cc-ci secrets`: the encrypted file of a host. No value is ever printed, taken from the command line or kept in clear. */
export function addSecretsCommands(program: Command): void {
  const secrets = program
    .command('secrets')
    .description("the host's secrets, encrypted with sops in hosts/<host>/secrets.yaml (docs/secrets.md)");

  takesValues(takesPlace(secrets.command('init')))
    .description(
      'make the file, or complete it: generate what we make ourselves, ask for what only you can give, and encrypt it for those whom .sops.yaml names now',
    )
    .action(async (flags: SecretsFlags) => {
      const { initSecrets } = await import('@cc-ci/reconcile/secrets');
      await orBlocked(async () => {
        const { file, written, rekeyed, recipients } = await initSecrets(await writeOptions(flags));
        const done = [
          ...(written.length > 0 ? [`${file}: wrote ${written.join(', ')}`] : []),
          ...(rekeyed ? [`${file}: encrypted anew`] : []),
        ];
        print(...(done.length > 0 ? done : [`${file}: all there`]), `it is for ${recipients.join(', ')}`);
      });
    });

  takesValues(takesPlace(secrets.command('rotate <name>')))
    .description('give one secret a new value, encrypt the file anew, and say what else must follow')
    .action(async (name: string, flags: SecretsFlags) => {
      const { rotateSecret, secretsOf } = await import('@cc-ci/reconcile/secrets');
      await orBlocked(async () => {
        const { file, recipients } = await rotateSecret(name, await writeOptions(flags));
        const followers = secretsOf(flags.for).find((one) => one.name === name)?.followers ?? [];
        print(`${file}: ${name} is new, and the file encrypted anew for ${recipients.join(', ')}`, 'now:');
        print(...followers.map((line, index) => `  ${index + 1}. ${line}`));
      });
    });

  takesPlace(secrets.command('check'))
    .description(
      'look whether the file can be used: names, recipients, and values, where a key to it is at hand (SOPS_AGE_KEY_FILE). ' +
        'Exit code 0: all well, 4: something is wrong with it, 2: it could not be looked at in full',
    )
    .action(async (flags: SecretsFlags) => {
      const { checkSecrets, findPlace } = await import('@cc-ci/reconcile/secrets');
      const report = await checkSecrets(await findPlace(process.cwd(), flags), flags.for);
      print(...reportLines(report));
      process.exitCode = report.problems.length > 0 ? BLOCKED : report.unseen.length > 0 ? FAILED : 0;
    });
}

function reportLines({ file, problems, unseen, notes }: SecretsReport): string[] {
  return [
    file,
    ...notes.map((line) => `  ok    ${line}`),
    ...unseen.map((line) => `  ?     ${line}`),
    ...problems.map((line) => `  wrong ${line}`),
  ];
}

function takesPlace(command: Command): Command {
  return command
    .option('--host <name>', 'whose: hosts/<name>/secrets.yaml; not needed where there is one host only')
    .option('--file <path>', 'another file, below the folder of .sops.yaml')
    .addOption(
      new Option('--for <kind>', 'what the host is for, which says what secrets it needs')
        .choices(['server', 'runner'])
        .default('server'),
    );
}

function takesValues(command: Command): Command {
  return command.option(
    '--values <file>',
    'values you give, one `name: value` a line; - reads them from a pipe; without it you are asked at the terminal',
  );
}

async function writeOptions(flags: SecretsFlags): Promise<WriteOptions> {
  const { findPlace, readGiven } = await import('@cc-ci/reconcile/secrets');
  const place = await findPlace(process.cwd(), flags);
  const { values: from } = flags;
  if (from === undefined) return { place, kind: flags.for, prompt: process.stdin.isTTY ? prompt : undefined };
  const given = from === '-' ? await text(process.stdin) : await readFile(from, 'utf8');
  return { place, kind: flags.for, given: readGiven(given, from === '-' ? 'what came by the pipe' : from) };
}

/** Asks until the answer can be the secret; an empty one gives up. */
async function prompt(wanted: SecretDefinition): Promise<string | undefined> {
  const { valueProblem } = await import('@cc-ci/reconcile/secrets');
  process.stderr.write(
    `${wanted.name}: ${wanted.what}${wanted.how === undefined ? '' : ` (${wanted.how})`}\n`,
  );
  for (;;) {
    const value = await askHidden(`${wanted.name}, which is not shown: `);
    if (value === '') return undefined;
    const problem = valueProblem(wanted, value);
    if (problem === undefined) return value;
    process.stderr.write(`it ${problem}\n`);
  }
}

/** What a person must give is told as what it is, not as a failure. */
async function orBlocked(work: () => Promise<void>): Promise<void> {
  const { NoRecipientsError, SecretsMissingError } = await import('@cc-ci/reconcile/secrets');
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SecretsMissingError || error instanceof NoRecipientsError)) throw error;
    process.stderr.write(`cc-ci: ${error.message}\n${error.hint ?? ''}\n`);
    process.exitCode = BLOCKED;
  }
}

function print(...lines: string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
