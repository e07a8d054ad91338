import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandFailedError, CommandTimeoutError } from '@cc-ci/core';
import { recipeFolder, runTool, type StageContext } from './context.js';
import { lastLines, StageFailure } from './failure.js';

const FETCH_TIMEOUT_MS = 300_000;

/** git asks nobody for a password: it fails instead. */
export const GIT_ENV = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_ADVICE: '0', LC_ALL: 'C' };

/** Runs git as this run's own: it asks nobody and speaks English. */
export async function git(context: StageContext, args: readonly string[], timeoutMs = 60_000) {
  return runTool(context, 'git', args, { env: GIT_ENV, timeoutMs });
}

/**
 * Clones the recipe into this run's ABRA_DIR: published versions (tags) from `origin`, the commit under test from
 * `src` (a fork, perhaps), and checks that commit out.
 * @throws StageFailure blaming the forge when it cannot be reached or no longer has the commit
 */
export async function fetchRecipe(context: StageContext): Promise<void> {
  const { request } = context.plan;
  const dir = recipeFolder(context);
  await mkdir(dirname(dir), { recursive: true });
  await fromForge(request.origin ?? request.src, () =>
    git(
      context,
      ['clone', '--quiet', '--no-checkout', '--', request.origin ?? request.src, dir],
      FETCH_TIMEOUT_MS,
    ),
  );
  // Branches, not the bare commit id: not every git server gives out a commit by its id.
  await fromForge(request.src, () =>
    git(
      context,
      [
        '-C',
        dir,
        'fetch',
        '--quiet',
        '--no-tags',
        '--',
        request.src,
        '+refs/heads/*:refs/remotes/under-test/*',
      ],
      FETCH_TIMEOUT_MS,
    ),
  );
  try {
    await git(context, ['-C', dir, 'cat-file', '-e', `${request.ref}^{commit}`]);
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    throw new StageFailure(
      'forge',
      `commit ${request.ref.slice(0, 8)} is no longer in ${request.src} (force-pushed or deleted meanwhile); comment !testme to test the new head`,
      lastLines(error.trace.output),
    );
  }
  await checkout(context, request.ref);
}

async function fromForge(url: string, step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof CommandFailedError || error instanceof CommandTimeoutError)) throw error;
    throw new StageFailure(
      'forge',
      `the recipe could not be fetched from ${url}`,
      lastLines(error.trace.output),
      error,
    );
  }
}

/** Puts the tree at a commit, whatever any command has left there. Call it right before each deploy. */
export async function checkout(context: StageContext, commit: string): Promise<void> {
  const dir = recipeFolder(context);
  await git(context, ['-C', dir, 'checkout', '--quiet', '--force', '--detach', commit]);
  await git(context, ['-C', dir, 'clean', '--quiet', '-ffdx']);
}
