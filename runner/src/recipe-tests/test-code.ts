import { cp, mkdir, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandFailedError, pathKind, writeJson } from '@cc-ci/core';
import { recipeFolder, runTool, type StageContext } from '../context.js';
import { StageFailure } from '../failure.js';

/** Whose tests: those of our tests folder, or those the recipe's own repository brings. */
export type TestSource = 'cc-ci' | 'recipe';

/**
 * A copy of test code in a folder of its own, with exactly the packages beside it that tests may import: it is found
 * by them wherever the tests come from, and what they write does not reach the original.
 */
export interface TestCode {
  source: TestSource;
  /** Absolute, without links. Names of files are relative to it: `tests/custom-html/install.test.ts`. */
  root: string;
  /** A text with the files' names as people know them. */
  show(text: string): string;
}

/** Where copies lie; gone at teardown. */
export const testCodeFolder = (dir: string) => join(dir, 'test-code');

/** What test code may import, besides what Node has. */
const PACKAGES = ['@cc-ci/runner', '@playwright/test', 'chai', 'mocha'];
/** Neither copied nor searched. */
const LEFT_OUT = new Set(['node_modules', '.git']);
const GIT_TIMEOUT_MS = 60_000;

/**
 * Our folder of tests for this recipe.
 * @throws StageFailure when there is no folder of tests at all: every recipe would seem to have none
 */
export async function ourTestsFolder(context: StageContext): Promise<string | undefined> {
  const testsDir = resolve(context.config.runner.testsDir);
  if ((await pathKind(testsDir)) !== 'folder') {
    throw new StageFailure('ci', `there is no folder of recipe tests at ${testsDir}; set CC_CI_TESTS_DIR`);
  }
  const folder = join(testsDir, context.plan.request.recipe);
  return (await pathKind(folder)) === 'folder' ? folder : undefined;
}

/**
 * Makes a fresh copy of the tests, in place of an earlier one.
 * @throws StageFailure blaming the tests when they cannot be copied, or have links that lead out of them
 */
export async function copyTests(context: StageContext, source: TestSource): Promise<TestCode> {
  const folder = join(testCodeFolder(context.dir), source);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'tests'), { recursive: true, mode: 0o700 });
  const root = await realpath(folder);
  if (source === 'cc-ci') await copyOurs(context, root);
  else await checkOutOwn(context, root);
  await refuseLinksOut(join(root, 'tests'));
  await addPackages(root);
  return { source, root, show: (text) => text.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '') };
}

async function copyOurs(context: StageContext, root: string): Promise<void> {
  const folder = await ourTestsFolder(context);
  if (!folder) return;
  const name = basename(folder);
  try {
    await cp(await realpath(folder), join(root, 'tests', name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !LEFT_OUT.has(basename(path)),
    });
  } catch (error) {
    throw new StageFailure('tests', `tests/${name} cannot be copied: ${(error as Error).message}`, [], error);
  }
}

/**
 * Names of the files below `tests/` that the recipe's repository has at the commit under test, whatever is in the
 * working tree now.
 */
export async function listOwnFiles(context: StageContext): Promise<string[]> {
  const args = ['ls-tree', '-r', '-z', '--name-only', '--full-tree', context.plan.request.ref, '--', 'tests'];
  const { stdout } = await runTool(context, 'git', ['-C', recipeFolder(context), ...args], {
    timeoutMs: GIT_TIMEOUT_MS,
    quiet: true,
  });
  return stdout.split('\0').filter((name) => name && !name.split('/').some((part) => LEFT_OUT.has(part)));
}

/** Writes these files out through an index of its own: neither working tree nor index of the checkout change. */
async function checkOutOwn(context: StageContext, root: string): Promise<void> {
  const files = await listOwnFiles(context);
  if (files.length === 0) return;
  const git = (args: string[], input?: string) =>
    runTool(context, 'git', ['-C', recipeFolder(context), ...args], {
      env: { ...process.env, GIT_INDEX_FILE: join(root, '.index') },
      timeoutMs: GIT_TIMEOUT_MS,
      quiet: true,
      ...(input === undefined ? {} : { input }),
    });
  try {
    await git(['read-tree', context.plan.request.ref]);
    await git(['checkout-index', '--force', '-z', '--stdin', `--prefix=${root}/`], `${files.join('\0')}\0`);
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    throw new StageFailure(
      'tests',
      `tests/ of the recipe cannot be checked out`,
      [error.trace.output],
      error,
    );
  } finally {
    await rm(join(root, '.index'), { force: true });
  }
}

/** @throws StageFailure naming the first link that leads out of the tests, or nowhere */
async function refuseLinksOut(folder: string): Promise<void> {
  const root = dirname(folder);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isSymbolicLink()) continue;
    const link = join(entry.parentPath, entry.name);
    const target = await realpath(link).catch(() => undefined);
    if (target?.startsWith(folder + sep)) continue;
    const name = link.slice(root.length + 1);
    throw new StageFailure(
      'tests',
      `${name} is a link that leads ${target ? 'out of the tests' : 'nowhere'}; put the file itself in its place`,
    );
  }
}

/** ESM resolution finds these by walking up from the tests. */
async function addPackages(root: string): Promise<void> {
  // Unless the tests say otherwise, `.ts` and `.js` are ES modules.
  await writeJson(join(root, 'package.json'), { private: true, type: 'module' });
  // Or that of whatever folder we lie in would be read.
  await writeFile(join(root, 'tsconfig.json'), '{}\n');
  for (const name of PACKAGES) {
    const link = join(root, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(packageFolder(name), link);
  }
}

/** Where a package is that the runner itself is installed with. */
function packageFolder(name: string): string {
  if (name === '@cc-ci/runner') return dirname(fileURLToPath(new URL('../../package.json', import.meta.url)));
  const path = fileURLToPath(import.meta.resolve(name));
  const folder = `${sep}node_modules${sep}${name.replaceAll('/', sep)}${sep}`;
  return path.slice(0, path.lastIndexOf(folder) + folder.length - 1);
}
