import { expect } from 'chai';
import { describe, it } from 'mocha';
import { generateSecret, SECRETS, secretsOf, valueProblem } from './catalogue.js';

const definition = (name: string) => {
  const found = SECRETS.find((one) => one.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
};

describe('the secrets of a host', () => {
  it('are each from somewhere, and a person is told how to come by what is theirs to give', () => {
    for (const { name, from, how, followers } of SECRETS) {
      expect(Object.keys(from), name).to.have.length.greaterThan(0);
      if (from.server === 'operator') expect(how, name).to.have.length.greaterThan(10);
      expect(followers.length, name).to.be.greaterThan(0);
    }
  });

  it('of a runner are those it shares with its server, and are never made twice', () => {
    expect(secretsOf('runner').map(({ name }) => name)).to.deep.equal(['drone-rpc-secret', 'report-token']);
    for (const { from } of secretsOf('runner'))
      expect(from).to.deep.equal({ server: 'generated', runner: 'server' });
  });

  it('that we make are of their form and never the same', () => {
    const values = new Set(Array.from({ length: 100 }, generateSecret));
    expect(values.size).to.equal(100);
    for (const one of SECRETS.filter(({ from }) => from.server === 'generated'))
      for (const value of values) expect(valueProblem(one, value), one.name).to.equal(undefined);
  });

  const placeholders = [
    'changeme',
    'CHANGE-ME',
    '<token>',
    '${TOKEN}',
    'todo',
    'xxxxxxxxxxxxxxxxxxxxxxxx',
    'your-token-here',
  ];
  for (const value of [
    ...placeholders,
    'replace this with the token',
    'aaaaaaaaaaaaaaaaaaaaaaaa',
    '........',
  ]) {
    it(`are not "${value}"`, () => {
      for (const one of SECRETS) expect(valueProblem(one, value), one.name).to.equal('is a placeholder');
    });
  }

  it('are not empty, cut short, of several lines or between spaces, and no problem quotes them', () => {
    const token = '0123456789abcdef0123';
    expect(valueProblem(definition('forge-token'), token)).to.equal(undefined);
    expect(valueProblem(definition('forge-token'), '')).to.equal('is empty');
    for (const value of [
      token.slice(1),
      `${token} ${token}`,
      `"${token}"`,
      `${token}\n${token}`,
      ` ${token}`,
      `${token}\n`,
    ]) {
      const problem = valueProblem(definition('forge-token'), value);
      expect(problem).to.be.a('string').and.not.include(value.trim());
    }
    expect(valueProblem(definition('forge-password'), 'correct horse, battery "staple" #1')).to.equal(
      undefined,
    );
    expect(valueProblem(definition('forge-password'), 'two lines\nof it')).to.match(/one line/);
  });
});
