import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectDocker,
  type Diagnosis,
  type Docker,
  diagnose,
  disconnectDocker,
  listSecrets,
  pathKind,
  removeSecret,
  run,
} from '@cc-ci/core';
import { z } from 'zod';
import { abraEnvironment, parseMachineOutput } from './abra.js';
import { argvOf, OPERATIONS, type Operation } from './abra-operations.js';

/** What a call of abra left. */
interface Answer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

interface Subject {
  docker: Docker;
  /** A stack that nobody else has. */
  domain: string;
  dir: string;
  ask(...args: string[]): Promise<Answer>;
}

const ANY_CODE = Array.from({ length: 256 }, (_, code) => code);
const CALL_TIMEOUT_MS = 60_000;

/**
 * Holds an abra against what the runner relies on: every command and flag of the table of operations by its `--help`,
 * and, in an ABRA_DIR of its own with a recipe of its own, what can be seen without deploying anything. Leaves nothing.
 * @throws ToolMissingError when there is no such program
 */
export async function holdAgainstContract(program: string): Promise<Diagnosis[]> {
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-abra-'));
  const docker = connectDocker();
  const domain = `doctor-${randomBytes(4).toString('hex')}.example.test`;
  const subject: Subject = {
    docker,
    domain,
    dir,
    ask: (...args) =>
      run(program, args, {
        env: abraEnvironment(dir),
        okCodes: ANY_CODE,
        timeoutMs: CALL_TIMEOUT_MS,
      }),
  };
  try {
    return [
      await version(subject),
      ...(await commands(subject)),
      ...(await refusals(subject)),
      ...(await inUse(subject)),
    ];
  } finally {
    for (const { id } of await listSecrets(docker, `${stackOf(domain)}_`)) await removeSecret(docker, id);
    await disconnectDocker(docker);
    await rm(dir, { recursive: true, force: true });
  }
}

const stackOf = (domain: string) => domain.replaceAll('.', '_');
const textOf = ({ stdout, stderr }: Answer) => `${stdout}\n${stderr}`;

const PART = 'abra contract';
const TODO =
  'this abra is another one than the runner was written for: look at runner/src/abra-operations.ts before you trust a run';

function finding(what: string, problem: string | undefined, detail?: string): Diagnosis {
  return problem === undefined
    ? diagnose.ok(PART, detail === undefined ? what : `${what}: ${detail}`)
    : diagnose.fail(PART, `${what}: ${problem}`, TODO);
}

async function version({ ask }: Subject): Promise<Diagnosis> {
  const { stdout, exitCode } = await ask(...argvOf('version'));
  const found = /abra version (\S+)/.exec(stdout)?.[1];
  const problem =
    exitCode === 0 && found ? undefined : `exit code ${exitCode}, and it says: ${firstLine(stdout)}`;
  return finding('says its version', problem, found);
}

/** Every command with every flag we give it, in both forms, by what abra itself says of them. */
async function commands({ ask }: Subject): Promise<Diagnosis[]> {
  const findings: Diagnosis[] = [];
  for (const { words, flags } of Object.values(OPERATIONS) as Operation[]) {
    if (words.length === 0) continue;
    const help = await ask(...words, '--help');
    const text = textOf(help);
    const lacking = flags.flatMap(({ short, long }) => {
      const form = new RegExp(`(?:^|\\s)${short === undefined ? '' : `${short},? +`}${long}\\b`, 'm');
      return form.test(text) ? [] : [short === undefined ? long : `${short}, ${long}`];
    });
    const problem =
      help.exitCode !== 0
        ? `abra ${words.join(' ')} --help: exit code ${help.exitCode}: ${firstLine(text)}`
        : lacking.length > 0
          ? `its --help does not know ${lacking.join('; ')}`
          : undefined;
    findings.push(
      finding(`abra ${words.join(' ')} takes ${flags.map(({ long }) => long).join(' ')}`, problem),
    );
  }
  return findings;
}

/** What must be refused: whoever takes anything for a flag does not say what it does not know. */
async function refusals({ ask, domain }: Subject): Promise<Diagnosis[]> {
  const unknown = await ask('app', 'deploy', domain, '--no-such-flag');
  const chaos = await ask('app', 'undeploy', domain, '--chaos');
  return [
    finding('refuses flags it does not know', unknown.exitCode === 0 ? 'exit code 0' : undefined),
    finding(
      'has no --chaos for undeploy',
      /unknown (?:flag|option)/i.test(textOf(chaos))
        ? undefined
        : `it does not say so: ${firstLine(textOf(chaos))}`,
    ),
  ];
}

const RECIPE = 'doctor';
const COMPOSE = `version: "3.8"
services:
  app:
    image: doctor:1.0.0
    deploy:
      labels:
        - "coop-cloud.\${STACK_NAME}.version=1.0.0+1.0.0"
`;
const WITH_SECRET = `${COMPOSE}    secrets: [password]
secrets:
  password:
    external: true
    name: \${STACK_NAME}_password_\${SECRET_PASSWORD_VERSION}
`;
const SAMPLE = `TYPE=${RECIPE}\nDOMAIN=${RECIPE}.example.com\n`;

/** Calls in their order on a recipe of our own, deployed nowhere. */
async function inUse(subject: Subject): Promise<Diagnosis[]> {
  const { ask, dir, domain } = subject;
  await commitRecipe(dir, COMPOSE, SAMPLE);
  const added = await ask(...argvOf('addLocalServer'));
  const again = await ask(...argvOf('addLocalServer'));
  const server = await pathKind(join(dir, 'servers/default'));
  const made = await ask(...argvOf('newApp', [RECIPE], { domain, server: 'default' }));
  const envFile = await pathKind(join(dir, 'servers/default', `${domain}.env`));
  const nothing = await ask(...argvOf('generateSecrets', [domain]));
  const undeployed = await ask(...argvOf('undeploy', [domain]));
  const backup = await ask(...argvOf('createBackup', [domain]));
  return [
    finding(
      'registers the local server as default',
      added.exitCode === 0 && server ? undefined : `exit code ${added.exitCode}: ${firstLine(textOf(added))}`,
    ),
    fact('registering it again', again),
    finding(
      'makes an app without asking anything',
      made.exitCode === 0 && envFile
        ? undefined
        : `exit code ${made.exitCode}, ${envFile ? 'an' : 'no'} env file: ${firstLine(textOf(made))}`,
    ),
    finding('has nothing to generate where a recipe has no secrets', saysSo(nothing, 'generateSecrets')),
    finding('does not undeploy what is not deployed', saysSo(undeployed, 'undeploy')),
    fact('a backup of what is not deployed, without a terminal', backup),
    ...(await secrets(subject)),
    diagnose.ok(PART, `its last words are on ${streamsOf(undeployed)}`),
  ];
}

async function secrets({ ask, dir, domain }: Subject): Promise<Diagnosis[]> {
  await commitRecipe(dir, WITH_SECRET, `${SAMPLE}SECRET_PASSWORD_VERSION=v1 # length=24\n`);
  await mkdir(join(dir, 'servers/default'), { recursive: true });
  await writeFile(
    join(dir, 'servers/default', `${domain}.env`),
    `TYPE=${RECIPE}\nDOMAIN=${domain}\nSECRET_PASSWORD_VERSION=v1 # length=24\n`,
  );
  const first = await ask(...argvOf('generateSecrets', [domain]));
  const second = await ask(...argvOf('generateSecrets', [domain]));
  let problem: string | undefined;
  try {
    const rows = parseMachineOutput(first.stdout, z.array(z.object({ name: z.string(), value: z.string() })));
    const [row] = rows;
    if (rows.length !== 1 || row?.name !== 'password')
      problem = `it names ${rows.map(({ name }) => name).join(', ')}`;
    else if (row.value.length !== 24) problem = `length=24 gave ${row.value.length} characters`;
  } catch (error) {
    problem = `exit code ${first.exitCode}: ${(error as Error).message}`;
  }
  return [
    finding('generates secrets as JSON rows of name and value', problem),
    finding('generates no secret twice', saysSo(second, 'generateSecrets')),
  ];
}

/** The words by which a failure is known to be none. */
function saysSo(answer: Answer, name: 'generateSecrets' | 'undeploy'): string | undefined {
  const { nothingToDo } = OPERATIONS[name];
  if (answer.exitCode === 0 || nothingToDo.test(textOf(answer))) return undefined;
  return `exit code ${answer.exitCode} without "${nothingToDo.source}" (Docker is asked instead): ${firstLine(textOf(answer))}`;
}

/** Nothing depends on it, but it is good to know. Never of a call that makes secrets: their values would be told. */
function fact(what: string, answer: Answer): Diagnosis {
  return diagnose.ok(PART, `${what}: exit code ${answer.exitCode}, ${firstLine(textOf(answer))}`);
}

function streamsOf({ stdout, stderr }: Answer): string {
  const streams = [stdout ? 'stdout' : '', stderr ? 'stderr' : ''].filter(Boolean);
  return streams.join(' and ') || 'none';
}

function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim()) ?? 'nothing';
}

/** Writes the recipe anew as one annotated release. */
async function commitRecipe(dir: string, compose: string, sample: string): Promise<void> {
  const folder = join(dir, 'recipes', RECIPE);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'compose.yml'), compose);
  await writeFile(join(folder, '.env.sample'), sample);
  await writeFile(join(folder, 'abra.sh'), '');
  const git = (...args: string[]) =>
    run('git', ['-C', folder, '-c', 'user.name=cc-ci', '-c', 'user.email=cc-ci@localhost', ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git('commit', '--quiet', '--no-gpg-sign', '--message=a recipe to look at');
  await git('tag', '--annotate', '--no-sign', '--message=1.0.0+1.0.0', '1.0.0+1.0.0');
}
