import { hasPage, link } from './links.js';
import type { Run, RunStatus } from './model.js';
import { inProgress, type Recipe } from './recipes.js';
import { renderPage } from './render.js';
import { type RunRow, runRow, STAGE_HEADS } from './run-row.js';
import { type Mark, STATUS_MARKS } from './words.js';

/** Seconds between two looks of an open overview while something is going on. */
const REFRESH_S = 5;

/** A number of the summary line. */
interface Tally {
  count: number;
  mark: Mark;
}

/** The page `/`: what goes on, and every recipe with its latest result. */
export function overviewPage(recipes: readonly Recipe[], runs: readonly Run[], base: string): string {
  const active = inProgress(runs);
  return renderPage(
    'overview',
    { base, title: 'Recipes', refresh: active.length > 0 ? REFRESH_S : 0 },
    {
      summary: summarise(recipes, active),
      active: active.map((run) => runRow(run, base)),
      stages: STAGE_HEADS,
      rows: recipes.map((recipe) => recipeRow(recipe, base)),
      broken: runs.filter((run) => run.status === 'broken').map((run) => runRow(run, base)),
    },
  );
}

interface RecipeRow {
  name: string;
  href: string;
  latest: RunRow | undefined;
  /** What goes on with this recipe just now. */
  now: { mark: Mark; href: string | undefined }[];
}

function recipeRow(recipe: Recipe, base: string): RecipeRow {
  return {
    name: recipe.name,
    href: link(base, 'recipes', recipe.name, ''),
    latest: recipe.latest && runRow(recipe.latest, base),
    now: recipe.active.map((run) => ({
      mark: STATUS_MARKS[run.status],
      href: hasPage(run.id) ? link(base, 'runs', run.id, '') : undefined,
    })),
  };
}

/** Recipes by their latest result, then what runs and waits. Zeros are said only of green, red and running. */
export function summarise(recipes: readonly Recipe[], active: readonly Run[]): Tally[] {
  const results = recipes.map((recipe) => recipe.latest?.status);
  const activity = active.map((run) => run.status);
  const tally = (status: RunStatus, among: readonly (RunStatus | undefined)[]): Tally => ({
    count: among.filter((it) => it === status).length,
    mark: STATUS_MARKS[status],
  });
  const always: Tally[] = [tally('green', results), tally('red', results)];
  const sometimes = (['error', 'lost', 'broken', 'cancelled'] as const).map((it) => tally(it, results));
  return [
    ...always,
    ...sometimes.filter((it) => it.count > 0),
    tally('running', activity),
    tally('queued', activity),
  ];
}
