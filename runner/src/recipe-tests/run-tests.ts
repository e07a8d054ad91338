import { copyFile, mkdir, realpath, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';
import { pathKind } from '@cc-ci/core';
import { redactorFor, type StageContext } from '../context.js';
import { lastLines, StageFailure } from '../failure.js';
import type { AppFacts } from './app-file.js';
import { ARTIFACT_FOLDERS, artifactKind, keepRedacted } from './attachments.js';
import {
  BROWSER_VARIABLE,
  type BrowserSettings,
  chromiumArgs,
  findChromium,
  SPECS_VARIABLE,
} from './browser.js';
import { headlineOf } from './headline.js';
import { type Attachment, type Results, readResultLines } from './result-lines.js';
import { copyTests, listOwnFiles, ourTestsFolder, type TestCode, type TestSource } from './test-code.js';
import {
  harnessFile,
  type ProcessEnd,
  runTestProcess,
  type TestProcess,
  withTypeScript,
} from './test-process.js';

const require = createRequire(import.meta.url);

/** Options of a run of test code. */
export interface TestRunOptions {
  /** Whose tests they are; results are marked so. */
  source: TestSource;
  /** Seconds the process may take; default: the runner's setting. */
  timeout?: number | undefined;
}

/**
 * The tests of ours for a recipe and a stage, where they exist: a mocha file, and for `install` the folder of browser
 * specs. Names are relative to the folder that `copyTests` makes.
 * @throws StageFailure when there is no folder of tests at all
 */
export async function findTests(
  context: StageContext,
  stage: 'install' | 'upgrade' | 'backup',
): Promise<{ mocha?: string; specs?: string }> {
  const folder = await ourTestsFolder(context);
  if (!folder) return {};
  const name = `tests/${basename(folder)}`;
  return {
    ...((await pathKind(join(folder, `${stage}.test.ts`))) === 'file'
      ? { mocha: `${name}/${stage}.test.ts` }
      : {}),
    ...(stage === 'install' && (await pathKind(join(folder, 'playwright'))) === 'folder'
      ? { specs: `${name}/playwright` }
      : {}),
  };
}

/**
 * The tests that the recipe's repository has in `tests/` at the commit under test: its mocha files (`*.test.ts`, `.js`,
 * `.mjs`), and the folder of its Playwright specs (`*.spec.ts`, `.js`, `.mjs`) where it has any.
 */
export async function findOwnTests(context: StageContext): Promise<{ mocha: string[]; specs?: string }> {
  const files = await listOwnFiles(context);
  return {
    mocha: files.filter((file) => /\.test\.(ts|js|mjs)$/.test(file)).sort(),
    ...(files.some((file) => /\.spec\.(ts|js|mjs)$/.test(file)) ? { specs: 'tests' } : {}),
  };
}

/**
 * Runs mocha files against the live app, all in one process, and records every test.
 * @param files as `findTests` or `findOwnTests` names them
 * @throws StageFailure when a test failed, none was found, or the files could not be run to their end within limits
 */
export async function runMocha(
  context: StageContext,
  files: readonly string[],
  options: TestRunOptions,
): Promise<void> {
  const code = await copyTests(context, options.source);
  const [first = '', ...others] = files;
  const what = others.length > 0 ? `mocha (${files.length} files)` : `mocha ${basename(first)}`;
  await runAndRecord(context, what, options.source, {
    args: [...withTypeScript('run-mocha.js'), ...files],
    cwd: code.root,
    show: code.show,
    timeout: options.timeout ?? context.config.runner.testTimeout,
  });
}

/**
 * Opens the app in a real browser: the recipe's specs where there are any, and the check every recipe gets. Each in a
 * process of its own, so that specs which cannot be loaded do not cost the picture of the app.
 * @param specs as `findTests` or `findOwnTests` names them
 * @param options.generic whether to do the check every recipe gets; its results are marked `generic`
 * @throws StageFailure like `runMocha`
 */
export async function runBrowserTests(
  context: StageContext,
  facts: AppFacts,
  specs: string | undefined,
  options: TestRunOptions & { generic: boolean },
): Promise<void> {
  const { source, generic, timeout } = options;
  const failure = generic
    ? await failureOfTests(
        runPlaywright(context, facts, 'landing page in a browser', 'generic', undefined, timeout),
      )
    : undefined;
  if (specs) {
    const code = await copyTests(context, source);
    const specsFailure = await failureOfTests(
      runPlaywright(context, facts, 'browser tests', source, { code, specs }, timeout),
    );
    if (specsFailure && !failure) throw specsFailure;
  }
  if (failure) throw failure;
}

async function failureOfTests(running: Promise<void>): Promise<StageFailure | undefined> {
  try {
    await running;
    return undefined;
  } catch (error) {
    if (error instanceof StageFailure) return error;
    throw error;
  }
}

async function runPlaywright(
  context: StageContext,
  facts: AppFacts,
  what: string,
  source: TestSource | 'generic',
  own: { code: TestCode; specs: string } | undefined,
  timeout = context.config.runner.testTimeout,
): Promise<void> {
  const playwright = join(dirname(require.resolve('@playwright/test/package.json')), 'cli.js');
  const outputDir = join(context.dir, 'browser', `${context.stage.record.stage}-${source}`);
  await mkdir(outputDir, { recursive: true });
  const settings: BrowserSettings = {
    executable: await findChromium(context.config.runner.chromium),
    args: await chromiumArgs(facts),
    outputDir,
  };
  await runAndRecord(
    context,
    what,
    source,
    {
      args: [playwright, 'test', `--config=${harnessFile('playwright.config.js')}`],
      cwd: own?.code.root ?? context.dir,
      ...(own ? { show: own.code.show } : {}),
      timeout,
      env: {
        [BROWSER_VARIABLE]: JSON.stringify(settings),
        ...(own ? { [SPECS_VARIABLE]: join(own.code.root, own.specs) } : {}),
      },
    },
    outputDir,
  );
}

/** @param attachments folder that what the tests leave behind must lie in */
async function runAndRecord(
  context: StageContext,
  what: string,
  source: TestSource | 'generic',
  process: Omit<TestProcess, 'withApp'>,
  attachments?: string,
): Promise<void> {
  const { show = (text: string) => text } = process;
  const redactor = redactorFor(context.secrets);
  const runOnce = () =>
    runTestProcess(context, { ...process, withApp: true }, (path) => readResultLines(path, source, redactor));
  let { end, results } = await runOnce();
  for (let tries = 1; tries < DISTURBED_TRIES && isDisturbed(results); tries++) {
    await context.stage.note(
      `run again: networks of this host changed while the browser connected (${what})`,
    );
    ({ end, results } = await runOnce());
  }
  for (const { test, attachments: left } of results.tests) {
    if (test.message !== undefined) test.message = show(test.message);
    await context.stage.test(test);
    for (const attachment of left) {
      if (await isOwn(attachment, attachments)) await keepAttachment(context, test.title, attachment);
      else context.stage.log(`not kept: ${attachment.name} of ${test.title}, it is no file of this test`);
    }
  }
  const failure = judge(what, { ...results, errors: results.errors.map(show) }, end);
  if (failure) throw failure;
}

/** Chromium's word for a connection it was just making when an interface of the node got an address. */
const NETWORK_CHANGED = 'net::ERR_NETWORK_CHANGED';
const DISTURBED_TRIES = 3;

/** Whether all that failed did so because of a neighbour's container, which says nothing of the app. */
function isDisturbed({ tests }: Results): boolean {
  const failed = tests.filter(({ test }) => test.state === 'failed');
  return failed.length > 0 && failed.every(({ test }) => test.message?.includes(NETWORK_CHANGED));
}

/** What a run of tests came to; nothing when it is as it should be. */
function judge(what: string, results: Results, end: ProcessEnd): StageFailure | undefined {
  const tests = results.tests.map(({ test }) => test);
  const failed = tests.filter(({ state }) => state === 'failed');
  const inWords = failed.flatMap((it) => lastLines(`${it.suite} › ${it.title}: ${it.message ?? ''}`, 20));
  if (end.how === 'limit')
    return new StageFailure('tests', `${what} ${end.what}`, [...inWords, ...end.output]);
  if (results.problem)
    return new StageFailure(
      'tests',
      `the results of ${what} cannot be relied on: ${results.problem}`,
      end.output,
    );
  if (failed.length > 0) {
    return new StageFailure(
      isDisturbed(results) ? 'ci' : 'recipe',
      `${failed.length} of ${tests.length} ${what} failed, first: ${failed[0]?.title}`,
      inWords,
    );
  }
  if (end.how === 'timeout') return new StageFailure('tests', `${what} ${end.what}`, end.output);
  const [error] = results.errors;
  if (error !== undefined) {
    const { headline, rest } = headlineOf(error);
    return new StageFailure('tests', `${what} could not be run: ${headline}`, rest);
  }
  if (!results.isComplete)
    return new StageFailure('tests', `${what} could not be run to the end (${end.what})`, end.output);
  if (tests.length === 0)
    return new StageFailure('tests', `${what}: no test was found, which proves nothing`);
  if (tests.every(({ state }) => state === 'skipped'))
    return new StageFailure('tests', `${what}: every test was skipped, which proves nothing`);
  if (end.how === 'failed') {
    return new StageFailure('tests', `${what} ended with an error although no test failed`, end.output);
  }
  return undefined;
}

/** Whether a test may leave this behind: it is the content itself, or a file where its output belongs. */
async function isOwn({ path }: Attachment, folder: string | undefined): Promise<boolean> {
  if (path === undefined) return true;
  if (!folder) return false;
  try {
    const [file, root] = await Promise.all([realpath(path), realpath(folder)]);
    return file.startsWith(root + sep) && (await pathKind(file)) === 'file';
  } catch {
    return false;
  }
}

async function keepAttachment(context: StageContext, title: string, attachment: Attachment): Promise<void> {
  const kind = artifactKind(attachment);
  if (!kind) return;
  const folder = ARTIFACT_FOLDERS[kind];
  const extension = { screenshot: '.png', trace: '.zip', log: '.log' }[kind];
  const number = context.stage.record.artifacts.length + 1;
  const name = `${context.stage.record.stage}-${number}${extension}`;
  const target = join(context.dir, folder, name);
  await mkdir(dirname(target), { recursive: true });
  if (kind !== 'screenshot') {
    if (!(await keepRedacted(context, title, attachment, target))) return;
  } else if (attachment.path) await copyFile(attachment.path, target);
  else await writeFile(target, Buffer.from(attachment.body ?? '', 'base64'));
  await context.stage.artifact({
    kind,
    path: relative(context.dir, target),
    title: `${title}: ${attachment.name}`,
  });
}
