import { STAGES } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { baseOf, type LocalPlan, planLines } from './local-plan.js';

const commit = (digit: string) => digit.repeat(40);
const TAGS = new Map([
  ['1.9.0+2.0', commit('a')],
  ['1.10.0+2.0', commit('b')],
  ['not-a-version', commit('c')],
]);

describe('the version an upgrade would start from', () => {
  it('is the newest that is older than the commit says it is', () => {
    expect(baseOf(TAGS, commit('d'), '2.0.0+3.0')).to.deep.equal({ version: '1.10.0+2.0', sure: true });
    // A change that has not got a version of its own yet says it is the last one.
    expect(baseOf(TAGS, commit('d'), '1.10.0+2.0')).to.deep.equal({ version: '1.9.0+2.0', sure: true });
  });

  it('is the one before where the commit itself is published', () => {
    expect(baseOf(TAGS, commit('b'), undefined)).to.deep.equal({ version: '1.9.0+2.0', sure: true });
    expect(baseOf(TAGS, commit('a'), undefined)).to.equal(undefined);
  });

  it('is only likely where the commit would have to be fetched to know', () => {
    expect(baseOf(TAGS, commit('d'), undefined)).to.deep.equal({ version: '1.10.0+2.0', sure: false });
    expect(baseOf(new Map(), commit('d'), undefined)).to.equal(undefined);
  });
});

describe('the plan in words', () => {
  const PLAN: LocalPlan = {
    request: { run: 'abcd2345', recipe: 'pad', ref: commit('a'), src: 'https://git.example.org/pad.git' },
    what: 'the end of main',
    stages: STAGES.map((stage) => ({ stage, done: stage !== 'upgrade' })),
    keep: false,
    versions: [],
    tests: { folder: '/srv/tests/pad', files: [] },
    programs: [
      { name: 'git', version: 'git version 2.39.5' },
      { name: 'abra', problem: 'abra cannot be run (install abra)' },
    ],
    zone: 'ci.test',
    edge: 'DNS',
    stateDir: '/srv/state',
    limits: { run: 3600, deploy: 600, tests: 600 },
  };

  it('names the whole commit, what is left out, what is missing, and that nothing was started', () => {
    const text = planLines(PLAN).join('\n');
    expect(text).to.include(`commit        ${commit('a')}  (the end of main)`);
    expect(text).to.include('left out      upgrade');
    expect(text).to.include('none in /srv/tests/pad (CC_CI_TESTS_DIR): only the generic checks');
    expect(text).to.include('abra          MISSING: abra cannot be run (install abra)');
    expect(text).to.include('upgrade from  nothing: no older version is published');
    expect(text).to.match(/Nothing was started\.$/);
  });

  it('says when the base is only likely', () => {
    const text = planLines({ ...PLAN, base: { version: '1.0.0+1', sure: false } }).join('\n');
    expect(text).to.include('1.0.0+1, or the one before');
  });
});
