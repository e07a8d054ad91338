import { expect } from 'chai';
import { describe, it } from 'mocha';
import { selectionsOf } from './combinations.js';
import { choose, parseEnvSample } from './env-sample.js';

const SAMPLE = `TYPE=example
COMPOSE_FILE="compose.yml"
## Storage
COMPOSE_FILE="$COMPOSE_FILE:compose.sqlite.yml"
# COMPOSE_FILE="$COMPOSE_FILE:compose.postgres.yml:compose.postgres-backup.yml"
#SECRET_DB_PASSWORD_VERSION=v1 # length=32
#TYPE=other
# Set TITLE=x to whatever you like
export TITLE=x
`;

describe('.env.sample', () => {
  it('is read with what is commented out, but not with prose', () => {
    const { assignments } = parseEnvSample(SAMPLE);
    expect(assignments.map(({ name, line, active }) => `${line} ${active ? '' : '#'}${name}`)).to.deep.equal([
      '1 TYPE',
      '2 COMPOSE_FILE',
      '4 COMPOSE_FILE',
      '5 #COMPOSE_FILE',
      '6 #SECRET_DB_PASSWORD_VERSION',
      '7 #TYPE',
      '9 TITLE',
    ]);
  });

  it('offers the compose files of its commented-out lines, on top of the default', () => {
    const sample = parseEnvSample(SAMPLE);
    expect(sample.options).to.deep.equal([
      { line: 5, files: ['compose.postgres.yml', 'compose.postgres-backup.yml'] },
    ]);
    expect(sample.defaults).to.deep.equal([4]);
    expect(choose(sample).files).to.deep.equal(['compose.yml', 'compose.sqlite.yml']);
    expect(choose(sample, [5]).files).to.deep.equal([
      'compose.yml',
      'compose.sqlite.yml',
      'compose.postgres.yml',
      'compose.postgres-backup.yml',
    ]);
    expect(choose(sample, [5], [4]).files).to.not.include('compose.sqlite.yml');
  });

  it('keeps what is commented out apart from what is not', () => {
    const { values, commented } = choose(parseEnvSample(SAMPLE));
    expect(values).to.not.have.property('SECRET_DB_PASSWORD_VERSION');
    expect(values).to.include({ TYPE: 'example', TITLE: 'x' });
    expect(commented).to.include({ SECRET_DB_PASSWORD_VERSION: 'v1' });
  });

  it('may offer another list instead of a longer one', () => {
    const sample = parseEnvSample(
      'COMPOSE_FILE=compose.yml\n#COMPOSE_FILE="compose.yml:compose.pg.yml"\n#COMPOSE_FILE=compose.yml\n',
    );
    expect(sample.options).to.deep.equal([{ line: 2, files: ['compose.pg.yml'] }]);
    expect(choose(sample, [2]).files).to.deep.equal(['compose.yml', 'compose.pg.yml']);
  });

  it('means compose.yml when it says nothing, and shows an empty place where the list begins with none', () => {
    expect(choose(parseEnvSample('TYPE=x\n')).files).to.deep.equal(['compose.yml']);
    const sample = parseEnvSample('#COMPOSE_FILE="$COMPOSE_FILE:compose.a.yml"\n');
    expect(choose(sample, [1]).files).to.deep.equal(['', 'compose.a.yml']);
  });
});

describe('combinations of options', () => {
  const withOptions = (count: number) =>
    parseEnvSample(
      [
        'COMPOSE_FILE=compose.yml',
        ...Array.from({ length: count }, (_, n) => `#COMPOSE_FILE="$COMPOSE_FILE:compose.${n}.yml"`),
      ].join('\n'),
    );
  const sizes = (count: number) =>
    selectionsOf(withOptions(count)).selections.map(({ options }) => options.length);

  it('are all of them as long as there are at most 32', () => {
    expect(sizes(0)).to.deep.equal([0]);
    expect(sizes(2)).to.deep.equal([0, 1, 1, 2]);
    const five = selectionsOf(withOptions(5));
    expect([five.selections.length, five.offered]).to.deep.equal([32, 32]);
    expect(new Set(five.selections.map(({ files }) => files.join(':'))).size).to.equal(32);
    expect(five.selections.at(-1)?.files).to.have.length(6);
  });

  it('are the default, each option, pairs and everything beyond that', () => {
    const six = sizes(6);
    expect(six).to.have.length(1 + 6 + 15 + 1);
    expect(six.slice(0, 8)).to.deep.equal([0, 1, 1, 1, 1, 1, 1, 2]);
    expect(six.at(-1)).to.equal(6);
    const ten = selectionsOf(withOptions(10));
    expect([ten.selections.length, ten.offered]).to.deep.equal([32, 1024]);
    expect(ten.selections.at(-1)?.options).to.have.length(10);
  });

  it('leave out no single option, however many there are', () => {
    expect(sizes(40).filter((size) => size === 1)).to.have.length(40);
  });
});
