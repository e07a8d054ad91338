import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '@cc-ci/core';
import type { FixtureRecipe } from './fixture-recipe.js';

/** What a call of abra left: its exit code, its streams, and both of them as one text. */
export interface Answer {
  exitCode: number;
  stdout: string;
  stderr: string;
  text: string;
}

/** An ABRA_DIR and the abra that works in it. */
export interface AbraHome {
  dir: string;
  call(args: readonly string[], options?: { env?: NodeJS.ProcessEnv; cwd?: string }): Promise<Answer>;
  /** Calls abra and expects exit code 0. */
  ok(...args: string[]): Promise<Answer>;
  /** Calls abra and expects exit code 1. */
  fails(...args: string[]): Promise<Answer>;
  /** Clones a recipe to where abra looks for it. */
  clone(recipe: FixtureRecipe): Promise<void>;
  /** Checks something out in the clone. @returns its commit */
  checkout(recipe: string, ref: string): Promise<string>;
  /** The commit that is checked out. */
  head(recipe: string): Promise<string>;
}

const ANY_CODE = Array.from({ length: 256 }, (_, code) => code);

/** An ABRA_DIR of its own at `dir`. */
export function createAbraHome(abra: string, dir: string, env: NodeJS.ProcessEnv = {}): AbraHome {
  const base = { ...process.env, LANG: 'C', LC_ALL: 'C', TERM: 'dumb', NO_COLOR: '1', ...env, ABRA_DIR: dir };
  const folderOf = (recipe: string) => join(dir, 'recipes', recipe);
  const git = async (recipe: string, ...args: string[]) =>
    (await run('git', ['-C', folderOf(recipe), ...args])).stdout.trim();
  const call: AbraHome['call'] = async (args, options = {}) => {
    const result = await run(abra, args, {
      env: { ...base, ...options.env },
      okCodes: ANY_CODE,
      timeoutMs: 100_000,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const { exitCode, stdout, stderr } = result;
    return { exitCode, stdout, stderr, text: `${stdout}${stderr}` };
  };
  const expecting =
    (code: number) =>
    async (...args: string[]) => {
      const answer = await call(args);
      if (answer.exitCode === code) return answer;
      throw new Error(`abra ${args.join(' ')}: exit code ${answer.exitCode}, not ${code}:\n${answer.text}`);
    };
  return {
    dir,
    call,
    ok: expecting(0),
    fails: expecting(1),
    clone: async ({ name, origin }) => {
      await mkdir(dirname(folderOf(name)), { recursive: true });
      await run('git', ['clone', '--quiet', origin, folderOf(name)]);
    },
    checkout: async (recipe, ref) => {
      await git(recipe, 'checkout', '--quiet', '--detach', ref);
      return git(recipe, 'rev-parse', 'HEAD');
    },
    head: (recipe) => git(recipe, 'rev-parse', 'HEAD'),
  };
}

async function names(args: readonly string[]): Promise<string[]> {
  return (await run('docker', args)).stdout.split('\n').filter(Boolean);
}

const KINDS = ['config', 'network', 'secret', 'service', 'volume'] as const;

/** Everything Docker has whose name begins with the stack's, containers included: "kind name", sorted. */
export async function leftoversOf(stack: string): Promise<string[]> {
  const lists = await Promise.all(
    KINDS.map(async (kind) => {
      const all = await names([kind, 'ls', '--format', '{{.Name}}']);
      return all.filter((name) => name.startsWith(`${stack}_`)).map((name) => `${kind} ${name}`);
    }),
  );
  const filter = `label=com.docker.stack.namespace=${stack}`;
  const containers = await names(['ps', '--all', '--filter', filter, '--format', '{{.Names}}']);
  return [...lists.flat(), ...containers.map((name) => `container ${name}`)].sort();
}

/** The labels that abra put on the app's main service, without `coop-cloud.<stack>.` in front. */
export async function deployedLabels(stack: string): Promise<Record<string, string>> {
  const [json = '{}'] = await names([
    'service',
    'inspect',
    '--format',
    '{{json .Spec.Labels}}',
    `${stack}_app`,
  ]);
  const prefix = `coop-cloud.${stack}.`;
  const labels = Object.entries(JSON.parse(json) as Record<string, string>);
  return Object.fromEntries(
    labels.filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** Takes away whatever a failed test may have left of a stack. */
export async function sweep(stack: string): Promise<void> {
  await run('docker', ['stack', 'rm', stack], { okCodes: ANY_CODE });
  const deadline = performance.now() + 60_000;
  for (;;) {
    const left = await leftoversOf(stack);
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`still there: ${left.join(', ')}`);
    for (const item of left) {
      const [kind = '', name = ''] = item.split(' ');
      if (kind !== 'container') await run('docker', [kind, 'rm', name], { okCodes: ANY_CODE });
    }
  }
}
