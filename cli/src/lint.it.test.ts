import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finding, InputError, run } from '@cc-ci/core';
import { lintRecipe } from '@cc-ci/runner';
import { createRecipeRepository, listSampleRecipes, type RecipeRepository } from '@cc-ci/sandbox';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

/** What a usual recipe may take, in milliseconds. */
const SOON = 3_000;

for (const recipe of await listSampleRecipes()) {
  describe(`the sample recipe ${recipe}, linted`, () => {
    let dir: string;
    let repository: RecipeRepository;
    before(async () => {
      dir = await mkdtemp(join(tmpdir(), 'cc-ci-lint-'));
      repository = await createRecipeRepository(recipe, join(dir, 'origin'));
    });
    after(() => rm(dir, { recursive: true }));

    /** On a clean clone, as the runner does. */
    async function lint(ref: string): Promise<Finding[]> {
      const clone = await mkdtemp(join(dir, 'clone-'));
      await run('git', ['clone', '--quiet', '--no-checkout', '--', repository.dir, clone]);
      await run('git', ['-C', clone, 'checkout', '--quiet', '--detach', ref]);
      return lintRecipe({ dir: clone, recipe, run, signal: new AbortController().signal });
    }
    const faults = (findings: readonly Finding[]) => findings.filter(({ severity }) => severity !== 'note');

    it('has no errors and no warnings in any published version', async () => {
      const versions = Object.entries(repository.versions);
      expect(versions).to.not.have.length(0);
      for (const [version, commit] of versions) expect(faults(await lint(commit)), version).to.deep.equal([]);
    });

    it('has none in its good change, and is done soon', async () => {
      const started = performance.now();
      const findings = await lint(repository.branches['good-change'] ?? '');
      expect(faults(findings)).to.deep.equal([]);
      expect(performance.now() - started).to.be.lessThan(SOON);
    });

    it('is refused where its compose file is no YAML', async () => {
      const error = await lint(repository.branches.unparsable ?? '').catch((thrown) => thrown);
      expect(error).to.be.instanceOf(InputError);
      expect(error.message).to.match(/^compose\.yml: /);
    });
  });
}
