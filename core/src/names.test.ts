import { expect } from 'chai';
import { describe, it } from 'mocha';
import { InputError } from './errors.js';
import {
  appNames,
  cloneUrl,
  commitSha,
  newRunId,
  prNumber,
  recipeName,
  repoName,
  runId,
  userLogin,
} from './names.js';

describe('names', () => {
  const forms = [
    {
      what: 'recipe',
      schema: recipeName,
      good: ['custom-html', 'n8n', 'a'],
      bad: ['', '-rf', 'A', 'a b', 'a;b', '$(x)', '../x', 'a/b', 'x'.repeat(64), 'é', 'a\n'],
    },
    {
      what: 'commit',
      schema: commitSha,
      good: ['0'.repeat(40)],
      bad: ['', 'main', 'HEAD', '0'.repeat(39), `${'0'.repeat(40)}\n`, '--all'],
    },
    {
      what: 'repository',
      schema: repoName,
      good: ['coop-cloud/custom-html', 'a/b.c'],
      bad: ['a', 'a/b/c', '../b', 'a/..', '-a/b', 'a/b;c', '/a/b'],
    },
    {
      what: 'pull request',
      schema: prNumber,
      good: ['1', 12],
      bad: ['0', '-1', '1.5', 'x', '1;2', '', 2 ** 31],
    },
    { what: 'login', schema: userLogin, good: ['alice', 'a.b-c_d'], bad: ['', '-a', 'a b', 'a/b', '@a'] },
    {
      what: 'clone source',
      schema: cloneUrl,
      good: ['https://git.example.org/o/r.git', 'http://127.0.0.1:3000/o/r.git', '/srv/r.git'],
      bad: ['', 'ext::sh -c id', '--upload-pack=id', 'ssh://h/r', 'file:///etc', 'https://u:p@h/r', 'r.git'],
    },
    {
      what: 'run id',
      schema: runId,
      good: [newRunId(), '01234567'],
      bad: ['', 'abc', 'ABCDEFGH', '../../etc', 'abcdefgi'],
    },
  ];
  for (const { what, schema, good, bad } of forms) {
    it(`takes a ${what} of the allowed form and nothing else`, () => {
      for (const value of good) expect(schema.safeParse(value).success, JSON.stringify(value)).to.equal(true);
      for (const value of bad) expect(schema.safeParse(value).success, JSON.stringify(value)).to.equal(false);
    });
  }

  it('makes a new run id every time', () => {
    expect(new Set(Array.from({ length: 1000 }, newRunId)).size).to.equal(1000);
  });

  describe('of an app', () => {
    const zone = 'ci.commoninternet.net';

    it('keep the recipe readable and end in the run', () => {
      expect(appNames('custom-html', 'k3f9x2ab', zone, 0)).to.deep.equal({
        label: 'custom-html-k3f9x2ab',
        domain: 'custom-html-k3f9x2ab.ci.commoninternet.net',
        stack: 'custom-html-k3f9x2ab_ci_commoninternet_net',
      });
    });

    it('leave room for the longest secret or config name (a 66 character name failed in practice)', () => {
      const longest = 'nginx_default_conf_v6'.length;
      const { stack, label } = appNames('custom-html-with-a-long-name', 'k3f9x2ab', zone, longest);
      expect(`${stack}_nginx_default_conf_v6`.length).to.be.at.most(64);
      expect(stack.length).to.be.at.most(45);
      expect(label).to.match(/^custom-[a-z-]*k3f9x2ab$/);
    });

    it('fall back to the run alone, and say so when not even that fits', () => {
      expect(appNames('custom-html', 'k3f9x2ab', zone, 33).label).to.equal('k3f9x2ab');
      expect(() => appNames('custom-html', 'k3f9x2ab', zone, 40)).to.throw(InputError, 'no name fits');
    });

    it('never hold what a DNS label may not', () => {
      expect(appNames('a_b.c', 'k3f9x2ab', zone, 0).label).to.equal('a-b-c-k3f9x2ab');
      expect(appNames('abc-defghijk-lmno', 'k3f9x2ab', zone, 0).label).to.not.match(/--/);
    });
  });
});
