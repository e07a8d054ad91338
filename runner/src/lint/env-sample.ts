import { envValues } from '@cc-ci/core';
import { MAIN_COMPOSE_FILE } from '../compose.js';

/** The file an app's env file is made of. */
export const ENV_SAMPLE = '.env.sample';

/** An assignment in `.env.sample`, commented out or not. */
export interface SampleLine {
  name: string;
  /** From 1. */
  line: number;
  active: boolean;
}

/** A line of `.env.sample` that changes `COMPOSE_FILE` and is commented out. */
export interface Option {
  line: number;
  /** The compose files it adds to those that are on by default. */
  files: string[];
}

export interface EnvSample {
  text: string;
  assignments: SampleLine[];
  options: Option[];
  /** Lines that add to `COMPOSE_FILE` and are switched on: they can be switched off. */
  defaults: number[];
}

/** What an app's env file says once lines of the sample were switched on or off. */
export interface Choice {
  /** In order, as `COMPOSE_FILE` lists them; `''` where it begins with a colon. */
  files: string[];
  values: Record<string, string>;
  /** What stands commented out: values for those who switch an option on. */
  commented: Record<string, string>;
}

const ASSIGNMENT = /^\s*(#[#\s]*)?(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/;

/** Reads `.env.sample` with what it offers in comments. */
export function parseEnvSample(text: string): EnvSample {
  const lines = text.split(/\r?\n/).map((line) => ASSIGNMENT.exec(line));
  const assignments = lines.flatMap((match, index) =>
    match ? [{ name: match[2] ?? '', line: index + 1, active: match[1] === undefined }] : [],
  );
  const composeLines = assignments.filter(({ name }) => name === 'COMPOSE_FILE');
  const defaults = composeLines
    .filter(({ active, line }) => active && /\$\{?COMPOSE_FILE\b/.test(lines[line - 1]?.[3] ?? ''))
    .map(({ line }) => line);
  const sample: EnvSample = { text, assignments, options: [], defaults };
  const usual = choose(sample).files;
  for (const { line } of composeLines.filter(({ active }) => !active)) {
    const files = choose(sample, [line]).files.filter((file) => file && !usual.includes(file));
    if (files.length > 0) sample.options.push({ line, files });
  }
  return sample;
}

/** The env file that comes of switching lines on and off. */
export function choose(sample: EnvSample, on: readonly number[] = [], off: readonly number[] = []): Choice {
  const lines = sample.text.split(/\r?\n/);
  const chosen = lines.map((line, index) => {
    if (off.includes(index + 1)) return '';
    return on.includes(index + 1) ? uncommented(line) : line;
  });
  const values = envValues(chosen.join('\n'));
  const files = values.COMPOSE_FILE ? values.COMPOSE_FILE.split(':') : [MAIN_COMPOSE_FILE];
  const offered = sample.assignments.filter(({ name, active }) => !active && name !== 'COMPOSE_FILE');
  const beside = offered.map(({ line }) => uncommented(lines[line - 1] ?? ''));
  return { files, values, commented: envValues([...chosen, ...beside].join('\n')) };
}

const uncommented = (line: string) => line.replace(/^[#\s]+/, '');
