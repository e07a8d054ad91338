import { isActive } from './model.js';
import type { Recipe } from './recipes.js';
import { renderPage } from './render.js';
import { runRow, STAGE_HEADS } from './run-row.js';
import { count } from './words.js';

const REFRESH_S = 5;

/** The page `/recipes/<name>/`: every run of a recipe, the newest first. */
export function recipePage(recipe: Recipe, base: string): string {
  const ended = recipe.runs.filter((run) => !isActive(run));
  const green = ended.filter((run) => run.status === 'green').length;
  return renderPage(
    'recipe',
    { base, title: recipe.name, refresh: recipe.active.length > 0 ? REFRESH_S : 0 },
    {
      name: recipe.name,
      latest: recipe.latest && runRow(recipe.latest, base),
      tally: `${count(recipe.runs.length, 'run')}, ${ended.length} ended, ${green} green`,
      stages: STAGE_HEADS,
      rows: recipe.runs.map((run) => runRow(run, base)),
    },
  );
}
