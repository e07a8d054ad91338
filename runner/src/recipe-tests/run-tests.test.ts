import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandTimeoutError } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { StageContext } from '../context.js';
import { StageFailure } from '../failure.js';
import { testContext, writeSomeFacts } from '../testing/context.js';
import { findTests, runMocha } from './run-tests.js';

const HEAD = `import { expect } from 'chai';\nimport { describe, it } from 'mocha';\n`;

describe('running the tests of a recipe', () => {
  let context: StageContext;
  let dispose: () => Promise<void>;

  beforeEach(async () => {
    ({ context, dispose } = await testContext('install', { CC_CI_TEST_TIMEOUT: '5' }));
    await writeSomeFacts(context.dir);
  });
  afterEach(() => dispose());

  const planted = async (text: string): Promise<string> => {
    const file = join(context.dir, 'install.test.ts');
    await writeFile(file, HEAD + text);
    return file;
  };
  const failing = async (text: string): Promise<StageFailure> => {
    try {
      await runMocha(context, await planted(text));
    } catch (error) {
      if (error instanceof StageFailure) return error;
      throw error;
    }
    return expect.fail('it passed');
  };

  it('records every test with suite, title, state and message', async () => {
    const failure = await failing(`
      describe('outer', () => {
        describe('inner', () => { it('passes', () => expect(1 as number).to.equal(1)); });
        it('fails', () => expect('is').to.equal('should'));
        it.skip('waits', () => undefined);
      });`);
    expect(failure.blame).to.equal('recipe');
    expect(failure.message).to.equal('1 of 3 mocha install.test.ts failed, first: fails');
    expect(failure.evidence.join()).to.include("expected 'is' to equal 'should'");
    expect(
      context.stage.record.tests.map(({ suite, title, state }) => [suite, title, state]),
    ).to.have.deep.members([
      ['outer › inner', 'passes', 'passed'],
      ['outer', 'fails', 'failed'],
      ['outer', 'waits', 'skipped'],
    ]);
  });

  it('takes no test at all for a failure', async () => {
    const failure = await failing('describe("nothing", () => undefined);');
    expect(failure.blame).to.equal('tests');
    expect(failure.message).to.include('no test was found');
  });

  it('takes nothing but skipped tests for a failure', async () => {
    const failure = await failing('describe("x", () => { it.skip("later", () => undefined); });');
    expect(failure.message).to.include('every test was skipped');
    expect(context.stage.record.tests.map(({ state }) => state)).to.deep.equal(['skipped']);
  });

  it('blames the tests when they cannot be loaded, and shows why', async () => {
    const broken = await failing('import { nothing } from "./not-there.js"; nothing();');
    expect(broken.blame).to.equal('tests');
    expect(broken.message).to.include('could not be run to the end');
    expect(broken.evidence.join('\n')).to.include('not-there');
  });

  it('blames the tests when their process ends before they do', async () => {
    const failure = await failing('describe("x", () => { it("leaves", () => process.exit(0)); });');
    expect(failure.blame).to.equal('tests');
    expect(failure.message).to.include('could not be run to the end');
  });

  it('fails a hook that fails', async () => {
    const failure = await failing(`import { before } from 'mocha';
      describe("x", () => { before(() => { throw new Error("no app"); }); it("never comes", () => undefined); });`);
    expect(failure.message).to.include('before all');
    expect(failure.evidence.join()).to.include('no app');
  });

  it('ends tests that hang', async () => {
    const file = await planted(
      'describe("x", () => { it("hangs", function () { this.timeout(0); return new Promise(() => undefined); }); it("y", () => undefined); });\nsetInterval(() => undefined, 1000);',
    );
    try {
      await runMocha(context, file);
      expect.fail('it passed');
    } catch (error) {
      expect(error).to.be.instanceOf(CommandTimeoutError);
    }
  });

  it('gives test code nothing of our environment', async () => {
    process.env.CC_CI_TEST_ONLY_SECRET = 'do-not-tell';
    try {
      await runMocha(
        context,
        await planted(
          'describe("x", () => { it("sees no secret", () => expect(process.env.CC_CI_TEST_ONLY_SECRET).to.equal(undefined)); });',
        ),
      );
    } finally {
      delete process.env.CC_CI_TEST_ONLY_SECRET;
    }
  });

  it('finds the files of a recipe, and none where there is no folder', async () => {
    expect(await findTests(context, 'install')).to.deep.equal({});
    const folder = join(context.dir, 'tests', 'custom-html');
    await mkdir(join(folder, 'playwright'), { recursive: true });
    await writeFile(join(folder, 'install.test.ts'), '');
    const here = {
      ...context,
      config: {
        ...context.config,
        runner: { ...context.config.runner, testsDir: join(context.dir, 'tests') },
      },
    };
    expect(await findTests(here, 'install')).to.deep.equal({
      mocha: join(folder, 'install.test.ts'),
      specs: join(folder, 'playwright'),
    });
  });
});
