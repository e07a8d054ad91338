import { expect } from 'chai';
import { describe, it } from 'mocha';
import { InputError } from './errors.js';
import { requestFromEnvironment, requestParameters } from './parameters.js';
import type { TestRequest } from './record.js';

const request: TestRequest = {
  run: 'k3f9x2ab',
  recipe: 'custom-html',
  ref: 'a'.repeat(40),
  src: 'https://forge.test/fork/custom-html.git',
  origin: 'https://forge.test/org/custom-html.git',
  repo: 'org/custom-html',
  pr: 12,
  requestedBy: 'alice',
};

describe('a request as parameters of a build', () => {
  it('comes back whole, and without what it does not have', () => {
    const { origin: _, repo: __, pr: ___, requestedBy: ____, ...short } = request;
    for (const it of [request, short])
      expect(requestFromEnvironment(requestParameters(it))).to.deep.equal(it);
    expect(requestFromEnvironment({ ...requestParameters(short), PR: '' })).to.deep.equal(short);
  });

  it('is refused when it is malformed, by the names it has in the environment', () => {
    const bad: [NodeJS.ProcessEnv, RegExp][] = [
      [{}, /RUN: .*RECIPE: .*REF: .*SRC: /],
      [{ RECIPE: '$(id)' }, /RECIPE: a recipe name/],
      [{ REF: 'main' }, /REF: a ref is a full commit id/],
      [{ SRC: 'ext::sh -c id' }, /SRC: a clone source/],
      [{ RUN: '../x' }, /RUN: a run id/],
      [{ PR: '1; id' }, /PR: a pull request number/],
    ];
    for (const [change, message] of bad) {
      const env = Object.keys(change).length > 0 ? { ...requestParameters(request), ...change } : change;
      expect(() => requestFromEnvironment(env)).to.throw(InputError, message);
    }
  });
});
