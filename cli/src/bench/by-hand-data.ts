import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CcCiError, run } from '@cc-ci/core';
import { type Hand, isTest, lines, runTest } from './hand.js';
import type { Reference, ReferencePhase } from './reference.js';

export const SEEDED = 'seeded by hand\n';
export const CHANGED = 'changed by hand\n';

/** The recipe's hook and the marker file copied into or out of its volumes, in the runner's order. */
export async function handleData(
  hand: Hand,
  { name, commands }: ReferencePhase,
  marker: string,
): Promise<void> {
  const file = join(hand.dir, 'marker-to-copy');
  await writeFile(file, marker);
  for (const command of commands) {
    if (isTest(command)) {
      const results = await runTest(hand, command);
      // After `mutate`, `verify` has to throw once.
      if (name !== 'mutate' && !results.includes('"done"'))
        throw new CcCiError(`by hand: ${name}: ${results}`);
    } else if (command.program === 'docker') {
      const [, ...args] = command.argv.map(hand.renamed);
      const now = await appContainer(hand);
      const { stdout } = await run(
        'docker',
        args.map((arg) => arg.replace(CONTAINER, `${now}:`)),
      );
      // `docker cp` gives a tar stream: the text is in it as it is.
      if (args.at(-1) === '-' && !stdout.includes(marker))
        throw new CcCiError(`by hand: ${args.join(' ')}: the marker is gone`);
    }
  }
}

/** How an argument of `docker cp` begins; the container of now has another id. */
const CONTAINER = /^[0-9a-f]{64}:/;

async function appContainer(hand: Hand): Promise<string> {
  const [id, more] = await lines('ps', '--quiet', '--filter', `name=${hand.stack}_app`);
  if (!id || more) throw new CcCiError(`by hand: not one container of ${hand.stack}_app`);
  return id;
}

/** One tar file for each folder that has a marker. */
export async function backup(hand: Hand): Promise<void> {
  const id = await appContainer(hand);
  for (const [index, folder] of dataFolders(hand.reference).entries()) {
    await dockerWith(['cp', `${id}:${folder}`, '-'], {
      stdout: await open(join(hand.dir, `backup-${index}.tar`), 'w'),
    });
  }
}

/** Puts the tar files back. */
export async function restore(hand: Hand): Promise<void> {
  const id = await appContainer(hand);
  for (const [index, folder] of dataFolders(hand.reference).entries()) {
    await dockerWith(['cp', '-', `${id}:${dirname(folder)}`], {
      stdin: await open(join(hand.dir, `backup-${index}.tar`)),
    });
  }
}

/** The folders with data, as their container sees them: those into which the runner copied a marker. */
export function dataFolders({ phases }: Pick<Reference, 'phases'>): string[] {
  const seeds = phases.filter(({ name }) => name === 'seed').flatMap(({ commands }) => commands);
  const targets = seeds.map(({ argv }) => argv.at(-1) ?? '').filter((target) => CONTAINER.test(target));
  return [...new Set(targets.map((target) => dirname(target.replace(CONTAINER, ''))))];
}

/** As a shell does with `<` and `>`. */
async function dockerWith(
  args: string[],
  { stdin, stdout }: { stdin?: FileHandle; stdout?: FileHandle },
): Promise<void> {
  try {
    const child = spawn('docker', args, {
      stdio: [stdin?.fd ?? 'ignore', stdout?.fd ?? 'ignore', 'inherit'],
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new CcCiError(`by hand: docker ${args.join(' ')} ended with ${code}`);
  } finally {
    await stdin?.close();
    await stdout?.close();
  }
}
