import { expect } from 'chai';
import { describe, it } from 'mocha';
import { checkHealth } from './rule-health.js';
import { brief, compose, type Files, GOOD, lineOf, modelOf } from './testing/recipe.js';

const check = async (files: Files) => brief(checkHealth(await modelOf(files)));
const APP = 'test: ["CMD", "true"]';
const DB = 'test: ["CMD", "pg_isready"]';
/** The line above it. */
const health = `compose.yml:${Number(lineOf(GOOD, 'compose.yml', DB).split(':')[1]) - 1}`;

describe('healthchecks', () => {
  it('are fine where app has one', async () => {
    expect(await check(GOOD)).to.deep.equal([]);
  });

  it('must not be missing on service app, or switched off', async () => {
    expect(await check(compose(`    healthcheck:\n      ${APP}\n`, ''))).to.deep.equal([
      'health-missing compose.yml:4',
    ]);
    expect(await check(compose(APP, 'disable: true'))).to.deep.equal(['health-missing compose.yml:20']);
    expect(await check(compose(APP, 'test: ["NONE"]'))).to.deep.equal(['health-missing compose.yml:20']);
  });

  it('may be missing on others', async () => {
    expect(await check(compose(`    healthcheck:\n      ${DB}\n`, ''))).to.deep.equal([]);
  });

  it('of a database should leave it 10 s', async () => {
    const db = (text: string) => check(compose(DB, `${DB}\n      ${text}`));
    expect(await db('interval: 3s')).to.deep.equal([`health-impatient ${health}`]);
    expect(await db('interval: 1m0.5s\n      retries: 0')).to.have.length(1);
    expect(await db('interval: 500ms\n      retries: 19')).to.have.length(1);
    expect(await db('interval: 3s\n      start_period: 0s')).to.have.length(1);
    expect(await db('interval: 500ms\n      retries: 20')).to.deep.equal([]);
    expect(await db('interval: 5s\n      retries: 2')).to.deep.equal([]);
    expect(await db('interval: 1s\n      start_period: 1m')).to.deep.equal([]);
    expect(await db('interval: soon')).to.deep.equal([]);
    expect(await check(compose(APP, `${APP}\n      interval: 1s`)), 'no database').to.deep.equal([]);
  });
});
