import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Docker, InputError } from '@cc-ci/core';
import { type Awkward, translate } from './awkward.js';

/** Lines for people, each beginning with its level's word as abra's do; all on stderr. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  fatal(message: string): void;
}

/** What every command works with. */
export interface Abra {
  /** ABRA_DIR: `servers/<server>/<domain>.env`, `recipes/<recipe>/`. */
  dir: string;
  env: NodeJS.ProcessEnv;
  docker: Docker;
  /** Aborted when this process is told to end. */
  signal: AbortSignal;
  log: Log;
  /** Writes a line to stdout: what was asked for, as opposed to what happened meanwhile. */
  print(line: string): void;
  /** Writes a line to stderr, for what a command that was asked for says there itself. */
  printError(line: string): void;
  /** What it makes harder than it need be. */
  awkward: ReadonlySet<Awkward>;
  /** `--no-input`: every question is answered yes. */
  noInput: boolean;
  /** `--offline`: recipes are not fetched. */
  offline: boolean;
}

/** Where abra keeps its files. */
export function abraDir(env: NodeJS.ProcessEnv): string {
  return resolve(env.ABRA_DIR || join(homedir(), '.abra'));
}

/** Where a recipe's clone is. */
export const recipeFolder = (abra: Abra, recipe: string) => join(abra.dir, 'recipes', recipe);

/** A log of whole lines. @param debug whether `debug` lines are written */
export function createLog(write: (text: string) => void, debug = false): Log {
  const line = (level: string) => (message: string) => write(`${level} ${message}\n`);
  return {
    debug: debug ? line('DEBU') : () => undefined,
    info: line('INFO'),
    warn: line('WARN'),
    error: line('ERRO'),
    fatal: line('FATA'),
  };
}

/**
 * Where abra would ask. There is nobody to ask: `--no-input` says yes, anything else ends the command, as abra ends
 * when its question meets a closed stdin.
 */
export function confirm(abra: Abra, question: string): void {
  if (!abra.noInput) {
    throw new InputError(`${question} There is nobody to ask here`, { hint: 'use --no-input' });
  }
}

/** The columns of a table for people. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** What a command says of itself on stdout, as opposed to what it was asked for. */
export function printWords(abra: Abra, text: string): void {
  abra.print(abra.awkward.has('translated') ? translate(text) : text);
}
