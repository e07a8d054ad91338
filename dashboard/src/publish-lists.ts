import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StageName } from '@cc-ci/core';
import { recipesJson } from './api.js';
import { badgeFiles } from './badges.js';
import { atomFeed, FEED_LENGTH, robots, sitemap } from './feed.js';
import { type Generation, refuseSecrets } from './generation.js';
import { newestFirst } from './model.js';
import { OVERVIEWS, overviewPage, overviewRow } from './overview-page.js';
import { shortHash } from './packed.js';
import { readStage } from './read-record.js';
import { historyPage, historyPages, recipePage } from './recipe-page.js';
import type { Recipe } from './recipes.js';
import type { Content } from './site-files.js';
import { newestRuns, runsOf } from './site-model.js';

/** The files of a recipe: below its folder, and its badges. */
export function recipeFiles(
  { base, url, cache, keys, siteDir, guardOf }: Generation,
  recipe: Recipe,
): { pages: Map<string, Content>; badges: Map<string, string> } {
  const context = {
    base,
    url,
    read: ({ dir }: { dir: string | undefined }, stage: StageName) => {
      // A record that went, or was damaged, since it was looked at shows itself with the next generation.
      try {
        return dir === undefined ? undefined : readStage(dir, stage, guardOf(dir));
      } catch {
        return undefined;
      }
    },
  };
  const pages = new Map<string, Content>();
  const { older } = historyPages(recipe.runs);
  for (const [index, runs] of older.entries()) {
    const path = `history/${index + 1}/index.html`;
    const name = `recipes/${recipe.name}/${path}`;
    const file = join(siteDir, name);
    const isLast = index + 1 === older.length;
    const key = shortHash(`${isLast} ${runs.map((run) => run.key).join(' ')}`);
    const isThere = cache.pages.get(name) === key && existsSync(file);
    pages.set(path, isThere ? { file } : historyPage(recipe, runs, index + 1, older.length, base));
    cache.pages.set(name, key);
    keys.set(name, key);
  }
  // Last, for it links to the others.
  pages.set('index.html', recipePage(recipe, context));
  return { pages, badges: badgeFiles(recipe) };
}

/** Everything that lists recipes and runs, by its path in the site; the front page comes last. */
export function listFiles({ base, url, cache, guardOf }: Generation): Map<string, string> {
  const { model, rows } = cache;
  const recipes = [...model.recipes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const guard = guardOf(undefined);
  const rowOf = (recipe: Recipe) => {
    const html = overviewRow(recipe, base);
    refuseSecrets(guard, `the row of ${recipe.name}`, html);
    return html;
  };
  const overview = {
    recipes,
    active: runsOf(model, model.active),
    broken: runsOf(model, model.broken).sort(newestFirst),
    base,
    row(recipe: Recipe): string {
      const known = rows.get(recipe.name) ?? rowOf(recipe);
      rows.set(recipe.name, known);
      return known;
    },
  };
  const files = new Map<string, string>([
    ['api/recipes.json', recipesJson(recipes)],
    ['feed.xml', atomFeed(newestRuns(model, 2 * FEED_LENGTH), url)],
    ['robots.txt', robots(base, url)],
  ]);
  if (url)
    files.set(
      'sitemap.xml',
      sitemap(
        recipes.map(({ name }) => name),
        url,
      ),
    );
  for (const { path, filter } of OVERVIEWS.toReversed()) files.set(path, overviewPage(overview, filter));
  return files;
}
