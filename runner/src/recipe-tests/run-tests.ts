import { access, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandFailedError, type CommandTrace } from '@cc-ci/core';
import { runTool, type StageContext } from '../context.js';
import { lastLines, StageFailure } from '../failure.js';
import { APP_FILE_VARIABLE, type AppFacts, appFile } from './app-file.js';
import { ARTIFACT_FOLDERS, artifactKind, keepRedacted } from './attachments.js';
import {
  BROWSER_VARIABLE,
  type BrowserSettings,
  chromiumArgs,
  findChromium,
  SPECS_VARIABLE,
} from './browser.js';
import { type Attachment, RESULTS_VARIABLE, readResultLines } from './result-lines.js';

const require = createRequire(import.meta.url);
const harnessFile = (name: string) => fileURLToPath(new URL(`../harness/${name}`, import.meta.url));

/** Test code gets the facts of the app and a PATH; nothing else of our environment. */
function testEnvironment(context: StageContext, results: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    LANG: 'C.UTF-8',
    HOME: join(context.dir, 'home'),
    ...(process.env.DOCKER_HOST ? { DOCKER_HOST: process.env.DOCKER_HOST } : {}),
    [APP_FILE_VARIABLE]: appFile(context.dir),
    [RESULTS_VARIABLE]: results,
  };
}

/** The tests of ours for a recipe and a stage: mocha file and folder of browser specs, where they exist. */
export async function findTests(
  context: StageContext,
  stage: 'install',
): Promise<{ mocha?: string; specs?: string }> {
  const folder = resolve(context.config.runner.testsDir, context.plan.request.recipe);
  const mocha = join(folder, `${stage}.test.ts`);
  const specs = join(folder, 'playwright');
  return {
    ...((await exists(mocha)) ? { mocha } : {}),
    ...((await exists(specs)) ? { specs } : {}),
  };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Runs one mocha file against the live app and records every test.
 * @throws StageFailure when a test failed, none was found, or the file could not be run
 */
export async function runMocha(context: StageContext, file: string): Promise<void> {
  const args = ['--import', import.meta.resolve('tsx'), harnessFile('run-mocha.js'), file];
  await runTestProcess(context, `mocha ${basename(file)}`, args);
}

/**
 * Opens the app in a real browser: the check every recipe gets, and the recipe's own specs where there are any.
 * @throws StageFailure like `runMocha`
 */
export async function runBrowserTests(
  context: StageContext,
  facts: AppFacts,
  specs: string | undefined,
): Promise<void> {
  const playwright = join(dirname(require.resolve('@playwright/test/package.json')), 'cli.js');
  const settings: BrowserSettings = {
    executable: await findChromium(context.config.runner.chromium),
    args: await chromiumArgs(facts),
    outputDir: join(context.dir, 'browser', context.stage.record.stage),
  };
  await runTestProcess(
    context,
    'browser tests',
    [playwright, 'test', `--config=${harnessFile('playwright.config.js')}`],
    {
      [BROWSER_VARIABLE]: JSON.stringify(settings),
      ...(specs ? { [SPECS_VARIABLE]: specs } : {}),
    },
  );
}

async function runTestProcess(
  context: StageContext,
  what: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const results = join(
    context.dir,
    'results',
    `${context.stage.record.stage}-${what.replace(/[^a-z0-9]+/gi, '-')}.jsonl`,
  );
  await mkdir(dirname(results), { recursive: true });
  const ended = await runToEnd(context, args, { ...testEnvironment(context, results), ...env });
  const { results: lines, complete } = await readResultLines(results);
  for (const { test, attachments } of lines) {
    await context.stage.test(test);
    for (const attachment of attachments ?? []) await keepAttachment(context, test.title, attachment);
  }
  const failed = lines.filter(({ test }) => test.state === 'failed');
  if (failed.length > 0) {
    const [first] = failed;
    throw new StageFailure(
      'recipe',
      `${failed.length} of ${lines.length} ${what} failed, first: ${first?.test.title}`,
      failed.flatMap(({ test }) => lastLines(`${test.suite} › ${test.title}: ${test.message ?? ''}`, 20)),
    );
  }
  if (!complete)
    throw new StageFailure('tests', `${what} could not be run to the end`, lastLines(ended?.output ?? ''));
  if (lines.length === 0) throw new StageFailure('tests', `${what}: no test was found, which proves nothing`);
  if (lines.every(({ test }) => test.state === 'skipped'))
    throw new StageFailure('tests', `${what}: every test was skipped, which proves nothing`);
  if (ended)
    throw new StageFailure(
      'tests',
      `${what} ended with an error although no test failed`,
      lastLines(ended.output),
    );
}

/** What a test process that failed printed; undefined when it ended well. */
async function runToEnd(
  context: StageContext,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<CommandTrace | undefined> {
  try {
    await runTool(context, process.execPath, args, {
      env,
      timeoutMs: context.config.runner.testTimeout * 1000,
    });
    return undefined;
  } catch (error) {
    if (error instanceof CommandFailedError) return error.trace;
    throw error;
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
