import { join } from 'node:path';
import { describeError, InputError, interpolate, readFileIfAny } from '@cc-ci/core';
import type { App } from './app.js';
import type { Compose } from './compose.js';
import type { Abra } from './context.js';
import { versionsOf } from './recipe.js';
import { appSecrets } from './secrets.js';

/** What a rule found. Errors stop every deploy without `--chaos`. */
export interface Finding {
  rule: string;
  level: 'error' | 'warn';
  about: string;
  /** What is wrong, or undefined where all is well. */
  problem: string | undefined;
}

/** What of a recipe is linted: its files, and the values its compose files are read with. */
export type LintSubject = Pick<App, 'recipe' | 'folder' | 'env' | 'entries' | 'stack'>;

interface Rule {
  rule: string;
  level: Finding['level'];
  about: string;
  check(abra: Abra, subject: LintSubject, compose: Compose): string | undefined | Promise<string | undefined>;
}

/** Of abra's rules those that can be judged from the clone alone. */
const RULES: readonly Rule[] = [
  { rule: 'R001', level: 'warn', about: 'compose config has expected version', check: checkComposeVersion },
  { rule: 'R003', level: 'error', about: 'all images use a tag', check: checkImagesTagged },
  { rule: 'R004', level: 'error', about: 'no unstable tags', check: checkUnstableTags },
  { rule: 'R008', level: 'error', about: '.env.sample provided', check: checkSample },
  { rule: 'R009', level: 'error', about: "one service named 'app'", check: checkAppService },
  { rule: 'R014', level: 'error', about: 'only annotated tags used for recipe version', check: checkTags },
  { rule: 'R015', level: 'error', about: 'secret names fit', check: checkSecretNames },
];

/** Applies every rule. */
export function lint(abra: Abra, subject: LintSubject, compose: Compose): Promise<Finding[]> {
  return Promise.all(
    RULES.map(async ({ check, ...rule }) => ({ ...rule, problem: await check(abra, subject, compose) })),
  );
}

/** @throws InputError with every rule of level error that is broken */
export async function requireLinted(abra: Abra, subject: LintSubject, compose: Compose): Promise<void> {
  const broken = (await lint(abra, subject, compose)).filter(
    ({ level, problem }) => level === 'error' && problem,
  );
  if (broken.length === 0) return;
  const list = broken.map(({ rule, about, problem }) => `${rule} ${about}: ${problem}`).join('; ');
  throw new InputError(`critical errors present in ${subject.recipe} config: ${list}`);
}

function checkComposeVersion(_: Abra, __: LintSubject, { sources }: Compose): string | undefined {
  const other = sources.find(({ data }) => data.version !== '3.8');
  return other && `${other.name} has ${other.data.version ?? 'none'}, not 3.8`;
}

function images(subject: LintSubject, compose: Compose): [service: string, tag: string][] {
  return [...compose.services].map(([service, { image }]) => {
    const reference = interpolate(image ?? '', subject.env);
    if (reference.includes('@')) return [service, 'digest'];
    return [service, /:([^/:]+)$/.exec(reference)?.[1] ?? ''];
  });
}

function checkImagesTagged(_: Abra, subject: LintSubject, compose: Compose): string | undefined {
  const untagged = images(subject, compose).filter(([, tag]) => tag === '');
  return list(untagged.map(([service]) => service));
}

function checkUnstableTags(_: Abra, subject: LintSubject, compose: Compose): string | undefined {
  const unstable = images(subject, compose).filter(([, tag]) => tag === 'latest');
  return list(unstable.map(([service, tag]) => `${service} (${tag})`));
}

async function checkSample(_: Abra, { folder }: LintSubject): Promise<string | undefined> {
  return (await readFileIfAny(join(folder, '.env.sample'))) === undefined ? 'there is none' : undefined;
}

function checkAppService(_: Abra, __: LintSubject, { services }: Compose): string | undefined {
  return services.has('app') ? undefined : `there are ${list([...services.keys()]) ?? 'no services'}`;
}

async function checkTags(abra: Abra, { recipe }: LintSubject): Promise<string | undefined> {
  const { lightweight } = await versionsOf(abra, recipe);
  return lightweight.length > 0 ? `lightweight: ${lightweight.join(', ')}` : undefined;
}

function checkSecretNames(_: Abra, subject: LintSubject, compose: Compose): string | undefined {
  try {
    appSecrets(subject, compose);
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return describeError(error);
    throw error;
  }
}

const list = (names: readonly string[]) => (names.length > 0 ? names.join(', ') : undefined);
