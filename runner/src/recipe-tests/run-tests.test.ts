import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfAny, stageFile, stageLogFile } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { StageContext } from '../context.js';
import { failureOf, StageFailure } from '../failure.js';
import { testContext, writeSomeFacts } from '../testing/context.js';
import { findTests, runMocha } from './run-tests.js';

const HEAD = `import { expect } from 'chai';\nimport { describe, it } from 'mocha';\n`;

describe('running the tests of a recipe', () => {
  let context: StageContext;
  let dispose: () => Promise<void>;

  beforeEach(async () => {
    ({ context, dispose } = await testContext('install', { CC_CI_TEST_TIMEOUT: '60' }));
    await writeSomeFacts(context.dir);
  });
  afterEach(() => dispose());

  const folder = () => join(context.config.runner.testsDir, 'custom-html');
  const planted = async (text: string): Promise<void> => {
    await mkdir(folder(), { recursive: true });
    await writeFile(join(folder(), 'install.test.ts'), HEAD + text);
  };
  const running = () => runMocha(context, ['tests/custom-html/install.test.ts'], { source: 'cc-ci' });
  const failing = async (text: string): Promise<StageFailure> => {
    await planted(text);
    try {
      await running();
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
    expect(broken.message).to.match(
      /^mocha install.test.ts could not be run: Cannot find module .*not-there/,
    );
    expect(broken.message).to.not.include(context.dir);
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

  it('names a .only that was left in, and does not take what it hides for passed', async () => {
    const failure = await failing(`describe('x', () => {
      it.only('shown', () => undefined);
      it('hidden', () => expect.fail('never seen'));
    });`);
    expect(failure.blame).to.equal('tests');
    expect(failure.message).to.equal(
      'mocha install.test.ts could not be run: .only hides every other test; take it out',
    );
    expect(failure.evidence.join('\n')).to.match(/at .*tests\/custom-html\/install\.test\.ts:4:/);
    expect(context.stage.record.tests).to.deep.equal([]);
  });

  it("shows where a test failed, with the file's name as people know it", async () => {
    const failure = await failing(`
      const mustBeGreen = (colour: string) => expect(colour).to.equal('green');
      describe('x', () => { it('fails', () => mustBeGreen('red')); });`);
    expect(failure.evidence).to.have.length(3);
    expect(failure.evidence[1]).to.match(/at .*\(?tests\/custom-html\/install\.test\.ts:4:\d+\)?$/);
    expect(failure.evidence.join('\n')).to.not.include(context.dir).and.not.include('node_modules');
  });

  it('ends tests that hang, and keeps what was known by then', async () => {
    context.config.runner.testTimeout = 8;
    const failure = await failing(
      `describe('x', () => {
        it('passes', () => undefined);
        it('hangs', function () { this.timeout(0); return new Promise(() => undefined); });
      });
      setInterval(() => undefined, 1000);`,
    );
    expect(failure.blame).to.equal('tests');
    expect(failure.message).to.equal('mocha install.test.ts did not end within 8 s and was stopped');
    expect(context.stage.record.tests.map(({ title, state }) => [title, state])).to.deep.equal([
      ['passes', 'passed'],
    ]);
  });

  it('blames the recipe for what failed before a hang', async () => {
    context.config.runner.testTimeout = 8;
    const failure = await failing(
      `describe('x', () => {
        it('fails', () => expect.fail('no answer'));
        it('hangs', function () { this.timeout(0); return new Promise(() => undefined); });
      });
      setInterval(() => undefined, 1000);`,
    );
    expect(failure.blame).to.equal('recipe');
    expect(failure.message).to.include('first: fails');
  });

  it('kills tests that eat memory', async () => {
    context.config.runner.testMemory = 400;
    const failure = await failing(`describe('x', () => { it('eats', async () => {
      const held: Buffer[] = [];
      for (let i = 0; i < 500; i++) held.push(Buffer.alloc(2 ** 20, 1));
      await new Promise((resolve) => setTimeout(resolve, 3000));
      expect(held).to.have.length(500);
    }); });`);
    expect(failure.blame).to.equal('tests');
    expect(failure.message).to.equal('mocha install.test.ts used more than 400 MiB of memory and was killed');
  });

  it('kills tests that flood the output', async () => {
    context.config.runner.testOutput = 1;
    const failure = await failing(
      `import { execFileSync } from 'node:child_process';
      describe('x', () => { it('floods', () => void execFileSync('yes', { stdio: 'inherit' })); });`,
    );
    expect(failure.blame).to.equal('tests');
    expect(failure.message).to.equal('mocha install.test.ts printed more than 1 MiB and was killed');
  });

  it('leaves no process behind, also none that has left the group', async () => {
    await planted(`import { spawn } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      describe('x', () => { it('starts a daemon', () => {
        const { pid } = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
        writeFileSync('pid', String(pid));
      }); });`);
    await running();
    const pid = await readFile(join(context.dir, 'test-code/cc-ci/pid'), 'utf8');
    expect(await readFileIfAny(`/proc/${pid}/cmdline`)).to.be.oneOf([undefined, '']);
  });

  it('believes no results that its reporter did not write', async () => {
    const failure = await failing(`import { appendFileSync } from 'node:fs';
      const test = { source: 'generic', suite: 's', title: 't', state: 'passed', durationMs: 1 };
      describe('x', () => {
        it('forges', () => appendFileSync(process.env.CC_CI_RESULTS ?? '', JSON.stringify({ test }) + '\\n'));
      });`);
    expect(failure.blame).to.equal('tests');
    expect(failure.message).to.equal(
      'the results of mocha install.test.ts cannot be relied on: line 1 of its results is not one of a reporter',
    );
    expect(context.stage.record.tests).to.deep.equal([]);
  });

  it('keeps no file that is not of the test', async () => {
    const line = { suite: 's', title: 't', state: 'passed', durationMs: 1 };
    await planted(`import { appendFileSync } from 'node:fs';
      describe('x', () => { it('attaches', () => appendFileSync(process.env.CC_CI_RESULTS ?? '', JSON.stringify({
        test: ${JSON.stringify(line)},
        attachments: [{ name: 'a', contentType: 'image/png', path: '/etc/passwd' }],
      }) + '\\n')); });`);
    await running();
    expect(context.stage.record.artifacts).to.deep.equal([]);
  });

  it('gives test code nothing of our environment', async () => {
    process.env.CC_CI_TEST_ONLY_SECRET = 'do-not-tell';
    try {
      await planted(`describe('x', () => { it('sees little', () => {
        const known = ['CC_CI_APP_FILE', 'CC_CI_PROCESS', 'CC_CI_RESULTS', 'CC_CI_RUN',
          'DOCKER_HOST', 'HOME', 'LANG', 'PATH', 'TMPDIR'];
        expect(Object.keys(process.env).filter((name) => !known.includes(name))).to.deep.equal([]);
        for (const name of ['HOME', 'TMPDIR']) expect(process.env[name]).to.include('${context.dir}/');
        expect(process.cwd()).to.equal('${context.dir}/test-code/cc-ci');
      }); });`);
      await running();
    } finally {
      delete process.env.CC_CI_TEST_ONLY_SECRET;
    }
  });

  it('hides secrets in the log, the record and the failure', async () => {
    context.secrets.set('password', 'hunter2222');
    const failure = await failing(`describe('x', () => { it('tells', () => {
      console.log('printed: hunter2222');
      throw new Error('thrown: hunter2222');
    }); });`);
    await context.stage.finish({ state: 'failed', failure: failureOf(failure) });
    const log = await readFile(stageLogFile(context.dir, 'install'), 'utf8');
    const record = await readFile(stageFile(context.dir, 'install'), 'utf8');
    expect(log).to.include('printed: [redacted]').and.not.include('hunter');
    expect(record).to.include('thrown: [redacted]').and.not.include('hunter');
  });

  it('finds the files of a recipe, and none where there is no folder', async () => {
    expect(await findTests(context, 'install')).to.deep.equal({});
    await planted('');
    await mkdir(join(folder(), 'playwright'));
    await writeFile(join(folder(), 'upgrade.test.ts'), '');
    expect(await findTests(context, 'install')).to.deep.equal({
      mocha: 'tests/custom-html/install.test.ts',
      specs: 'tests/custom-html/playwright',
    });
    expect(await findTests(context, 'upgrade')).to.deep.equal({ mocha: 'tests/custom-html/upgrade.test.ts' });
    expect(await findTests(context, 'backup')).to.deep.equal({});
  });

  it('does not take a wrong path of the tests folder for recipes without tests', async () => {
    context.config.runner.testsDir = join(context.dir, 'nowhere');
    const error = await findTests(context, 'install').catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(StageFailure).with.property('blame', 'ci');
    expect((error as StageFailure).message).to.include('nowhere; set CC_CI_TESTS_DIR');
  });
});
