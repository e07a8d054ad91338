import { expect } from 'chai';
import { describe, it } from 'mocha';
import { describeRecipe } from './recipe-definition.js';
import { DEFAULT_SETTINGS } from './settings.js';

const nothing = () => undefined;

describe('what a recipe.ts says', () => {
  const problemsOf = (definition: unknown): string[] => {
    const description = describeRecipe(definition);
    return 'problems' in description ? description.problems : expect.fail('it was taken');
  };

  it('is all default when it says nothing', () => {
    expect(describeRecipe({})).to.deep.equal({ settings: DEFAULT_SETTINGS, hooks: [] });
    expect(describeRecipe({ seed: undefined, env: undefined })).to.deep.equal({
      settings: DEFAULT_SETTINGS,
      hooks: [],
    });
  });

  it('is settings with their defaults, and the names of the hooks it has', () => {
    expect(
      describeRecipe({ mutate: nothing, health: { path: '/up' }, verify: async () => undefined }),
    ).to.deep.equal({
      settings: { ...DEFAULT_SETTINGS, health: { path: '/up' } },
      hooks: ['verify', 'mutate'],
    });
  });

  it('must be the default export, an object', () => {
    expect(problemsOf(undefined)[0]).to.include('no default export').and.include('defineRecipe');
    for (const other of [null, 'x', [], nothing]) expect(problemsOf(other)[0]).to.include('not an object');
  });

  it('names an unknown key and those there are, at every depth', () => {
    expect(problemsOf({ helth: {} })).to.deep.equal([
      'unknown key "helth"; allowed: health, tcp, env, envAfterUpgrade, secrets, timeouts, skip, seed, verify, mutate',
    ]);
    expect(problemsOf({ health: { code: 1 } })).to.deep.equal([
      'health: unknown key "code"; allowed: path, status',
    ]);
    expect(problemsOf({ tcp: [{ service: 'db', port: 1, host: 'x' }] })).to.deep.equal([
      'tcp.0: unknown key "host"; allowed: service, port, connects',
    ]);
    expect(problemsOf({ skip: { install: 'because it is hard' } })).to.deep.equal([
      'skip: unknown key "install"; allowed: upgrade, backup, recipe-tests',
    ]);
  });

  it('lists every mistake, hooks that are no functions among them', () => {
    expect(
      problemsOf({
        seed: 'yes',
        verify: null,
        env: { 'A B': 'x' },
        timeouts: { hook: 0 },
        skip: { backup: 'no' },
      }),
    ).to.deep.equal([
      'env.A B: expected the name of an environment variable',
      'timeouts.hook: Too small: expected number to be >=1',
      'skip.backup: expected a reason, in words that a maintainer understands',
      'seed: expected a function',
      'verify: expected a function',
    ]);
  });
});
