import { InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { composeFileNames, locateComplaint, mergeCompose, parseCompose } from './compose.js';

describe('compose files', () => {
  it('are those of COMPOSE_FILE, or the one every recipe has', () => {
    expect(composeFileNames({})).to.deep.equal(['compose.yml']);
    expect(composeFileNames({ COMPOSE_FILE: '' })).to.deep.equal(['compose.yml']);
    expect(composeFileNames({ COMPOSE_FILE: 'compose.yml:compose.db.yml' })).to.deep.equal([
      'compose.yml',
      'compose.db.yml',
    ]);
  });

  it('add up: later images and names win, secrets are collected', () => {
    const compose = mergeCompose([
      parseCompose(
        'compose.yml',
        'services:\n  app:\n    image: a:1\n    secrets: [one]\nsecrets:\n  one: {external: true, name: s_one_v1}\n  file: {file: f}\n',
      ),
      parseCompose(
        'compose.db.yml',
        'services:\n  app:\n    image: a:2\n    secrets: [{source: two, target: t}]\n  db: {}\nsecrets:\n  two: {external: {name: s_two_v1}}\n',
      ),
    ]);
    expect(Object.fromEntries(compose.services)).to.deep.equal({
      app: { image: 'a:2', secrets: ['one', 'two'] },
      db: { image: undefined, secrets: [] },
    });
    expect(Object.fromEntries(compose.secrets)).to.deep.equal({
      one: { name: 's_one_v1', file: false },
      file: { name: undefined, file: true },
      two: { name: 's_two_v1', file: false },
    });
  });

  it('may share parts by anchors and merge keys', () => {
    const text = 'x-all: &all\n  image: a:1\nservices:\n  app:\n    <<: *all\n';
    expect(parseCompose('compose.yml', text).data.services?.app?.image).to.equal('a:1');
  });

  it('that are no YAML are refused with file, line and column', () => {
    expect(() => parseCompose('compose.yml', 'services:\n  app:\n    image: [a\n  db: {}\n')).to.throw(
      InputError,
      /^compose\.yml:4:\d+: /,
    );
    expect(() => parseCompose('c.yml', 'services: {}\nservices: {}\n')).to.throw(
      InputError,
      /^c\.yml:2:1: .*unique/,
    );
  });

  it('of another form are refused with the place of what is wrong', () => {
    const message = (text: string) => {
      try {
        parseCompose('compose.yml', text);
      } catch (error) {
        return (error as Error).message;
      }
      return 'it was accepted';
    };
    expect(message('services:\n  app:\n    image: 5\n')).to.match(
      /^compose\.yml:3:12: services\.app\.image: .*string/,
    );
    expect(message('services: [app]\n')).to.match(/^compose\.yml:1:11: services: /);
    expect(message('just text\n')).to.match(/^compose\.yml:1:1: the file: /);
    expect(message('')).to.equal('it was accepted');
  });

  it("get the place of Docker's own complaints", () => {
    const sources = [
      parseCompose('compose.yml', 'services:\n  app:\n    image: a:1\n    imagee: x\n'),
      parseCompose('compose.db.yml', 'services:\n  app:\n    deploy: {}\n'),
    ];
    expect(locateComplaint('services.app Additional property imagee is not allowed', sources)).to.equal(
      'compose.yml:4:13: services.app Additional property imagee is not allowed',
    );
    expect(locateComplaint('services.app.deploy must be a number', sources)).to.match(
      /^compose\.db\.yml:3:13: /,
    );
    expect(locateComplaint('network proxy not found', sources)).to.equal('network proxy not found');
    expect(locateComplaint('services.other.image must be a string', sources)).to.match(/^services\.other/);
  });
});
