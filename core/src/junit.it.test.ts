import { expect } from 'chai';
import { describe, it } from 'mocha';
import { z } from 'zod';
import { junitXml } from './junit.js';
import { run } from './process.js';
import {
  pendingStage,
  type RunRecord,
  STAGES,
  type StageName,
  type StageRecord,
  type TestResult,
} from './record.js';

/** Reads XML by a parser that is not ours (expat), strictly, and gives it back as JSON. */
const READER = `
import json, sys, xml.etree.ElementTree as tree
def node(it):
    return {'tag': it.tag, 'attributes': it.attrib, 'text': it.text or '', 'children': [node(child) for child in it]}
json.dump(node(tree.fromstring(sys.stdin.buffer.read())), sys.stdout)
`;
interface Node {
  tag: string;
  attributes: Record<string, string>;
  text: string;
  children: Node[];
}
const nodeSchema: z.ZodType<Node> = z.strictObject({
  tag: z.string(),
  attributes: z.record(z.string(), z.string()),
  text: z.string(),
  children: z.array(z.lazy(() => nodeSchema)),
});

async function parsed(record: RunRecord): Promise<Node> {
  const { stdout } = await run('python3', ['-c', READER], {
    input: junitXml(record),
    missingHint: 'its XML parser holds ours to the standard: apt-get install python3, or run ./setup --tests',
  });
  return nodeSchema.parse(JSON.parse(stdout));
}

const test = (change: Partial<TestResult>): TestResult => ({
  source: 'cc-ci',
  suite: 'the site',
  title: 'answers',
  state: 'passed',
  durationMs: 1234.5,
  ...change,
});

function recordOf(change: Partial<Record<StageName, Partial<StageRecord>>>, pr?: number): RunRecord {
  return {
    run: 'k3f9x2ab',
    dir: '/runs/k3f9x2ab',
    plan: {
      schema: 1,
      request: {
        run: 'k3f9x2ab',
        recipe: 'custom-html',
        ref: 'a'.repeat(40),
        src: '/srv/r.git',
        ...(pr === undefined ? {} : { pr }),
      },
      mode: 'run',
      createdAt: '2026-11-21T08:00:00.000Z',
      stages: [...STAGES],
      snapshots: [],
      overlays: [],
      tools: {},
    },
    stages: STAGES.map((stage) => ({ ...pendingStage(stage), state: 'passed', ...change[stage] })),
    summary: undefined,
  };
}

const suite = (root: Node, name: StageName) =>
  root.children.find(({ attributes }) => attributes.name === name) ?? expect.fail(`no suite ${name}`);
const cases = (root: Node, name: StageName) =>
  suite(root, name).children.filter(({ tag }) => tag === 'testcase');

describe('JUnit XML', () => {
  it('has a suite for every stage, with its tests, times and what it is about', async () => {
    const install: Partial<StageRecord> = {
      startedAt: '2026-11-21T08:00:01.250Z',
      finishedAt: '2026-11-21T08:00:33.750Z',
      tests: [
        test({}),
        test({ source: 'generic', suite: '', title: 'serves', state: 'skipped' }),
        test({ source: 'recipe', title: 'logs in', state: 'failed', message: 'expected 500\nto equal 200' }),
      ],
      state: 'failed',
      failure: { blame: 'recipe', message: '1 of 3 tests failed', evidence: [] },
    };
    const root = await parsed(recordOf({ install }, 12));
    expect(root.tag).to.equal('testsuites');
    expect(root.attributes).to.deep.equal({
      name: 'cc-ci custom-html',
      tests: '3',
      failures: '1',
      errors: '0',
      skipped: '1',
      time: '32.500',
    });
    expect(root.children.map(({ attributes }) => attributes.name)).to.deep.equal([...STAGES]);
    expect(suite(root, 'install').attributes).to.deep.equal({
      name: 'install',
      tests: '3',
      failures: '1',
      errors: '0',
      skipped: '1',
      time: '32.500',
      timestamp: '2026-11-21T08:00:01',
    });
    const [properties] = suite(root, 'install').children;
    expect(properties?.children.map(({ attributes }) => [attributes.name, attributes.value])).to.deep.equal([
      ['run', 'k3f9x2ab'],
      ['recipe', 'custom-html'],
      ['ref', 'a'.repeat(40)],
      ['pr', '12'],
    ]);
    const [passed, skipped, failed, ...more] = cases(root, 'install');
    expect(more).to.deep.equal([]);
    expect(passed).to.deep.equal({
      tag: 'testcase',
      attributes: { classname: 'cc-ci.the site', name: 'answers', time: '1.234' },
      text: '',
      children: [],
    });
    expect(skipped?.attributes).to.include({ classname: 'generic', name: 'serves' });
    expect(skipped?.children[0]?.tag).to.equal('skipped');
    expect(failed?.attributes.classname).to.equal('recipe.the site');
    expect(failed?.children).to.deep.equal([
      {
        tag: 'failure',
        attributes: { message: 'expected 500 to equal 200' },
        text: 'expected 500\nto equal 200',
        children: [],
      },
    ]);
  });

  it('shows every stage that has no result of its tests, so that none looks green', async () => {
    const root = await parsed(
      recordOf({
        prepare: { state: 'passed' },
        install: {
          state: 'failed',
          failure: { blame: 'ci', message: 'the disk is full', evidence: ['one', 'two'] },
          tests: [test({})],
        },
        upgrade: { state: 'base-broken', reason: '1.0.0 does not come up' },
        backup: { state: 'structural-skip', reason: 'no backup labels' },
        'recipe-tests': { state: 'not-run', reason: 'the app did not come up' },
        teardown: { state: 'running' },
      }),
    );
    expect(root.attributes).to.include({ tests: '6', failures: '0', errors: '3', skipped: '2' });
    expect(cases(root, 'prepare')).to.deep.equal([]);
    const stageCase = (name: StageName) => cases(root, name).at(-1)?.children[0];
    expect(cases(root, 'install').map(({ attributes }) => attributes.name)).to.deep.equal([
      'answers',
      'install',
    ]);
    expect(stageCase('install')).to.deep.equal({
      tag: 'error',
      attributes: { message: 'the disk is full', type: 'ci' },
      text: 'blame: ci\nthe disk is full\none\ntwo',
      children: [],
    });
    expect(stageCase('upgrade')).to.deep.include({
      tag: 'skipped',
      attributes: { message: 'base-broken: 1.0.0 does not come up' },
    });
    expect(stageCase('backup')?.attributes).to.deep.equal({ message: 'structural-skip: no backup labels' });
    expect(stageCase('recipe-tests')).to.deep.include({
      tag: 'error',
      attributes: { message: 'the app did not come up', type: 'not-run' },
    });
    expect(stageCase('teardown')?.attributes).to.deep.equal({ message: 'it has not ended', type: 'running' });
  });

  it('is XML whatever the texts are, and says them unchanged where XML can', async () => {
    const nasty = `]]> <b>&amp; "quoted" 'single' \r\n\ttab — ü 🎉 <!-- -- --> <![CDATA[x]]> &#0;`;
    const forbidden = '\u0000\u0001\u0008\u000b\u001f\ufffe\uffff\ud800x\udfff';
    const message = `${nasty}${forbidden}\u001b[31mred\u001b[0m`;
    const failing = test({ suite: nasty, title: message, state: 'failed', message });
    const root = await parsed(
      recordOf({ install: { tests: [failing] }, upgrade: { state: 'not-run', reason: message } }),
    );
    const [only] = cases(root, 'install');
    const survived = `${nasty}xred`;
    expect(only?.attributes).to.include({ classname: `cc-ci.${nasty}`, name: survived });
    expect(only?.children[0]?.text).to.equal(survived);
    expect(only?.children[0]?.attributes.message).to.equal(survived.replace(/\s+/g, ' '));
    expect(cases(root, 'upgrade')[0]?.children[0]?.text).to.equal(survived);
  });

  it('takes every character there is', async () => {
    const all = Array.from({ length: 0x11_00 }, (_, index) =>
      String.fromCodePoint(index * 0x100 + (index % 0x100)),
    );
    const low = Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(code));
    await parsed(recordOf({ install: { tests: [test({ title: [...low, ...all].join('') })] } }));
  });
});
