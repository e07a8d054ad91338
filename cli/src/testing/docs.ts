import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

/** A page for people: README and everything in docs/. */
export interface Page {
  /** Relative to the repository's root. */
  name: string;
  text: string;
}

export async function readPages(): Promise<Page[]> {
  const docs = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md'));
  const names = ['README.md', 'secrets/README.md', ...docs.map((name) => `docs/${name}`)];
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(join(ROOT, name), 'utf8') })));
}

/** Blocks of code in these languages; a block in a list is indented. */
export function codeBlocks(text: string, ...languages: string[]): string[] {
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```/gm)]
    .filter((block) => languages.includes(block[2] ?? ''))
    .map((block) => (block[3] ?? '').replaceAll(new RegExp(`^${block[1]}`, 'gm'), ''));
}

/** What of a shell's line does not belong to a command any more. */
const END = /^(?:[|;&#>]|\|\||&&|2>.*)$/;

/** Every command of ours in a page, as its words after `cc-ci`: lines of shell blocks, and code in sentences. */
export function commandsIn(text: string): string[][] {
  const lines = codeBlocks(text, 'sh').flatMap((block) => block.split('\n'));
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
  // Code in a sentence that begins as a command does; it may go on in the next line.
  const spans = [...prose.matchAll(/`([^`]+)`/g)]
    .map((span) => (span[1] ?? '').replaceAll(/\s+/g, ' '))
    .filter((code) => /^(?:npx |sudo -i |[A-Z_]+='?[^']*'? )*cc-ci /.test(code));
  return [...lines, ...spans].flatMap((line) => {
    const words = line.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
    return words.flatMap((word, index) => {
      if (word !== 'cc-ci' || !/^[a-z]/.test(words[index + 1] ?? '')) return [];
      const rest = words.slice(index + 1);
      const end = rest.findIndex((one) => END.test(one));
      return [end < 0 ? rest : rest.slice(0, end)];
    });
  });
}

/** Why a command cannot be given like this: a verb, flag or number of words that there is not; undefined when it can. */
export function commandProblem(program: Command, words: readonly string[]): string | undefined {
  let command = program;
  let rest = [...words];
  for (;;) {
    const [name] = rest;
    const verb = command.commands.find((one) => one.name() === name);
    if (!verb) break;
    command = verb;
    rest = rest.slice(1);
  }
  if (command === program) return `there is no cc-ci ${rest[0]}`;
  const given: string[] = [];
  while (rest.length > 0) {
    const [word = '', ...others] = rest;
    rest = others;
    if (!word.startsWith('--')) {
      given.push(word);
      continue;
    }
    const [flag, value] = word.split('=', 2);
    const option = command.options.find(({ long }) => long === flag);
    if (!option) return `cc-ci ${command.name()} has no ${flag}`;
    if (!option.required || value !== undefined) continue;
    if (rest.length === 0) return `${flag} wants a value`;
    rest = rest.slice(1);
  }
  // A verb that is only named ("`cc-ci run` does it") is given nothing.
  if (given.length === 0 && words.every((word) => !word.startsWith('--'))) return undefined;
  const most = command.registeredArguments.some(({ variadic }) => variadic)
    ? Number.POSITIVE_INFINITY
    : command.registeredArguments.length;
  if (given.length > most) return `cc-ci ${command.name()} takes ${most} words, not ${given.join(' ')}`;
  return undefined;
}
