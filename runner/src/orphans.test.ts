import { appNames, newRunId } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { ownerOf } from './orphans.js';

describe('whose app something is, by its name', () => {
  it('is found again in every name an app can have', () => {
    for (const [recipe, longest] of [
      ['custom-html', 0],
      ['matrix.synapse_x', 20],
      ['a', 0],
      ['gitea', 30],
    ] as const) {
      const run = newRunId();
      const { stack } = appNames(recipe, run, 'ci.test-1.example', longest);
      expect(ownerOf(`${stack}_db_data`, 'ci.test-1.example'), stack).to.deep.equal({ stack, run });
    }
  });

  it('is nobody of ours for other names', () => {
    const run = '0123abcd';
    for (const name of [
      `blog-${run}_ci_test`,
      `blog-${run}_other_test_data`,
      `blog-${run}_ci_testing_data`,
      `blog-${run}x_ci_test_data`,
      `blog${run}_ci_test_data`,
      `blog_${run}_ci_test_data`,
      'blog-0123abcu_ci_test_data',
      'blog-0123abc_ci_test_data',
      'blog_ci_test_data',
      'traefik_ci_test_app',
      `_ci_test_data`,
    ])
      expect(ownerOf(name, 'ci.test'), name).to.equal(undefined);
  });
});
