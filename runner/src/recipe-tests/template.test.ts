import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folderNames, recipeName } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { z } from 'zod';
import type { StageContext } from '../context.js';
import { testContext } from '../testing/context.js';
import { loadRecipe } from './hooks.js';
import { findTests } from './run-tests.js';
import { HOOKS, recipeSettings } from './settings.js';

const TESTS = fileURLToPath(new URL('../../../tests', import.meta.url));
const TEMPLATE = join(TESTS, '_template');

describe('the template of a recipe test', () => {
  let context: StageContext;
  let dispose: () => Promise<void>;
  beforeEach(async () => {
    ({ context, dispose } = await testContext('install'));
  });
  afterEach(() => dispose());

  it('is found and loads once it is copied', async () => {
    await cp(TEMPLATE, join(context.config.runner.testsDir, 'custom-html'), { recursive: true });
    expect((await loadRecipe(context)).hooks).to.deep.equal([...HOOKS]);
    expect(await findTests(context, 'install')).to.deep.equal({
      mocha: 'tests/custom-html/install.test.ts',
      specs: 'tests/custom-html/playwright',
    });
    for (const stage of ['upgrade', 'backup'] as const)
      expect(await findTests(context, stage)).to.have.keys(['mocha']);
  });

  it('shows every key there is', async () => {
    const text = await readFile(join(TEMPLATE, 'recipe.ts'), 'utf8');
    const keys = [...keysOf(recipeSettings), ...HOOKS];
    expect(keys).to.include.members(['health', 'connects', 'hook', 'recipe-tests']);
    for (const key of keys) expect(text, key).to.match(new RegExp(`\\b${key}\\b['\`]?:|\`${key}\``));
  });

  it("is nobody's recipe", () => {
    expect(recipeName.safeParse('_template').success).to.equal(false);
  });
});

describe('our recipe tests', () => {
  it('load without an app', async () => {
    const recipes = (await folderNames(TESTS)).filter((name) => recipeName.safeParse(name).success);
    expect(recipes).to.include('custom-html');
    for (const recipe of recipes) {
      const { context, dispose } = await testContext('install', { CC_CI_TESTS_DIR: TESTS });
      try {
        context.plan.request.recipe = recipe;
        const { hooks, file } = await loadRecipe(context);
        if (file) expect(hooks, recipe).to.include.members([...HOOKS]);
      } finally {
        await dispose();
      }
    }
  });
});

/** The keys a schema knows, at every depth. */
function keysOf(schema: unknown): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return keysOf(schema.unwrap());
  if (schema instanceof z.ZodArray) return keysOf(schema.element);
  if (schema instanceof z.ZodRecord)
    return schema.keyType instanceof z.ZodEnum ? schema.keyType.options.map(String) : [];
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}
