import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfAny, run, stageFile, stageLogFile } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { StageContext } from '../context.js';
import { failureOf, StageFailure } from '../failure.js';
import { testContext, writeSomeFacts } from '../testing/context.js';
import { HookError, loadRecipe, runHook } from './hooks.js';
import { DEFAULT_SETTINGS, HOOKS } from './settings.js';
import { testCodeFolder } from './test-code.js';

const HEAD = `import { app, defineRecipe } from '@cc-ci/runner/harness';\nimport { expect } from 'chai';\nvoid [app, expect];\n`;
const FILE = 'tests/custom-html/recipe.ts';

let context: StageContext;
let dispose: () => Promise<void>;
const planted = async (text: string, name = 'recipe.ts') => {
  const folder = join(context.config.runner.testsDir, 'custom-html');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), text);
};
const failureFrom = async (running: Promise<unknown>): Promise<StageFailure> => {
  const error = await running.then(
    () => expect.fail('it went well'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof StageFailure) return error;
  throw error;
};

describe("loading a recipe's settings", () => {
  beforeEach(async () => {
    ({ context, dispose } = await testContext('install'));
  });
  afterEach(() => dispose());

  const failing = async (text: string) => {
    await planted(text);
    const failure = await failureFrom(loadRecipe(context));
    expect(failure.blame).to.equal('tests');
    expect(failure.message).to.include(FILE).and.not.include(context.dir);
    return failure;
  };

  it('takes the defaults where there is no folder', async () => {
    expect(await loadRecipe(context)).to.deep.equal({ settings: DEFAULT_SETTINGS, hooks: [] });
  });

  it('takes the defaults where there is no recipe.ts in it', async () => {
    await planted('', 'install.test.ts');
    expect(await loadRecipe(context)).to.deep.equal({ settings: DEFAULT_SETTINGS, hooks: [] });
  });

  it('goes by the same through all stages, and leaves no secret when the run has ended', async () => {
    await planted(`export default { secrets: { smtp_password: 'not-a-real-one' } };`);
    const first = await loadRecipe(context);
    await planted('export default {};');
    expect(await loadRecipe(context)).to.deep.equal(first);
    // What teardown removes of it: the copy with what was read from it, and the compiler's cache.
    for (const folder of [testCodeFolder(context.dir), join(context.dir, 'tmp')])
      await rm(folder, { recursive: true });
    const { stdout } = await run('grep', ['-rl', 'not-a-real-one', context.dir], { okCodes: [0, 1] });
    expect(stdout).to.equal('');
  });

  it('reads settings and hooks with what the file imports, without an app and whatever it prints', async () => {
    await planted(`export const path = '/up';`, 'paths.ts');
    await planted(`${HEAD}import { path } from './paths.js';
      console.log(JSON.stringify({ settings: 'forged', hooks: ['seed'] }));
      export default defineRecipe({ health: { path, status: [200, 401] }, verify: () => expect(app.url).to.equal('') });`);
    expect(await loadRecipe(context)).to.deep.equal({
      settings: { ...DEFAULT_SETTINGS, health: { path: '/up', status: [200, 401] } },
      hooks: ['verify'],
      file: FILE,
    });
  });

  it('says what cannot be loaded, and where', async () => {
    const missing = await failing(`${HEAD}import './site.js'; export default {};`);
    expect(missing.message).to.match(
      /recipe\.ts cannot be loaded: Cannot find module 'tests\/custom-html\/site\.js'/,
    );
    const garbled = await failing('export default {;');
    expect(garbled.message).to.match(
      /cannot be loaded: Transform failed with 1 error: .*recipe\.ts:1:16: ERROR: /,
    );
    const thrown = await failing(
      `function broken() { throw new Error('oh no'); }\nbroken();\nexport default {};`,
    );
    expect(thrown.message).to.equal(`${FILE} cannot be loaded: oh no`);
    expect(thrown.evidence.join('\n')).to.match(/at broken \(tests\/custom-html\/recipe\.ts:1:\d+\)/);
  });

  it('says what is no definition, and what would be', async () => {
    expect((await failing('export const x = 1;')).message).to.equal(
      `${FILE} has no default export; end it with: export default defineRecipe({ ... })`,
    );
    expect((await failing('export default { helth: {} };')).message).to.include(
      'unknown key "helth"; allowed: health',
    );
    const two = await failing('export default { seed: 1, verify: 2 };');
    expect(two.message).to.equal(`${FILE} has 2 mistakes, first: seed: expected a function`);
    expect(two.evidence).to.deep.equal(['verify: expected a function']);
  });

  it('says so when the file asks for the app before there is one', async () => {
    const failure = await failing(`${HEAD}export default defineRecipe({ env: { URL: app.url } });`);
    expect(failure.message).to.include('uses app or http while it is being loaded');
    expect(failure.evidence.join('\n')).to.include(`${FILE}:4:`);
  });

  it('blames a file that ends its process', async () => {
    const failure = await failing(`process.exit(0);\nexport default {};`);
    expect(failure.message).to.equal(`${FILE} ended its process while it was loaded`);
  });
});

describe("calling a recipe's hooks", () => {
  beforeEach(async () => {
    ({ context, dispose } = await testContext('install'));
    await writeSomeFacts(context.dir);
  });
  afterEach(() => dispose());

  const call = async (seed: string, options: { record?: boolean; timeout?: number; after?: string } = {}) => {
    await planted(`${HEAD}export default defineRecipe({\n seed: ${seed},\n});\n${options.after ?? ''}`);
    const settings = { ...DEFAULT_SETTINGS, timeouts: { hook: options.timeout ?? 30 } };
    const recipe = { settings, hooks: [...HOOKS], file: FILE };
    await runHook(context, recipe, 'seed', {
      record: options.record ?? false,
      title: 'seed now',
    });
  };
  const failing = async (...args: Parameters<typeof call>): Promise<HookError> => {
    const failure = await failureFrom(call(...args));
    if (failure instanceof HookError) return failure;
    throw failure;
  };

  it('gives it the app, and waits for it', async () => {
    await call(`async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      console.log('seeding', app.domain);
    }`);
    await context.stage.finish({ state: 'passed' });
    expect(await readFile(stageLogFile(context.dir, 'install'), 'utf8')).to.include(
      'seeding custom-html.ci.test',
    );
    expect(context.stage.record.tests).to.deep.equal([]);
  });

  it('does not wait for connections it leaves open', async () => {
    await call('() => void setInterval(() => undefined, 1000)', { timeout: 20 });
  });

  it('records it as a test when asked', async () => {
    await call('() => undefined', { record: true });
    await failing(`() => expect('is').to.equal('should')`, { record: true });
    const tests = context.stage.record.tests;
    expect(tests.map(({ source, suite, title, state }) => [source, suite, title, state])).to.deep.equal([
      ['cc-ci', 'recipe.ts', 'seed now', 'passed'],
      ['cc-ci', 'recipe.ts', 'seed now', 'failed'],
    ]);
    expect(tests[1]?.message).to.include("expected 'is' to equal 'should'");
  });

  it('takes what it throws for the fault of the recipe, and shows where', async () => {
    const failure = await failing(`async () => {\n  expect('is').to.equal('should');\n }`);
    expect(failure).to.include({ thrown: true, blame: 'recipe' });
    expect(failure.message).to.equal(`${FILE}: seed failed: expected 'is' to equal 'should'`);
    expect(failure.evidence).to.have.length(1);
    expect(failure.evidence[0]).to.match(/at .*tests\/custom-html\/recipe\.ts:6:/);
  });

  it('takes what a forgotten promise throws for its fault, too', async () => {
    const failure = await failing(`async () => {
      void Promise.reject(new Error('too late'));
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }`);
    expect(failure).to.include({ thrown: true });
    expect(failure.message).to.include('seed failed: too late');
  });

  it('knows nothing when it hangs, ends its process, or cannot be loaded', async () => {
    const hung = await failing('() => new Promise((resolve) => setTimeout(resolve, 60_000))', { timeout: 4 });
    expect(hung).to.include({ thrown: false, blame: 'tests' });
    expect(hung.message).to.equal(`${FILE}: seed did not end within 4 s and was stopped`);
    const left = await failing(`() => { console.error('leaving'); process.exit(0); }`);
    expect(left).to.include({ thrown: false, blame: 'tests' });
    expect(left.message).to.include('seed ended its process');
    const broken = await failing('() => undefined', { after: "throw new Error('no');" });
    expect(broken).to.include({ thrown: false, blame: 'tests' });
    expect(broken.message).to.include('cannot be loaded: no');
  });

  it('kills what it leaves running, also outside its group', async () => {
    await planted('', 'x');
    await call(`async () => {
      const { spawn } = await import('node:child_process');
      const { writeFileSync } = await import('node:fs');
      const { pid } = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
      writeFileSync('pid', String(pid));
    }`);
    const pid = await readFile(join(context.dir, 'test-code/cc-ci/pid'), 'utf8');
    expect(await readFileIfAny(`/proc/${pid}/cmdline`)).to.be.oneOf([undefined, '']);
  });

  it('hides secrets in what it prints and throws', async () => {
    context.secrets.set('password', 'hunter2222');
    const failure = await failing(
      `() => { console.log('printed hunter2222'); throw new Error('thrown hunter2222'); }`,
      { record: true },
    );
    await context.stage.finish({ state: 'failed', failure: failureOf(failure) });
    const record = await readFile(stageFile(context.dir, 'install'), 'utf8');
    expect(record).to.include('seed failed: thrown [redacted]').and.not.include('hunter');
    const log = await readFile(stageLogFile(context.dir, 'install'), 'utf8');
    expect(log).to.include('printed [redacted]').and.not.include('hunter');
  });
});
