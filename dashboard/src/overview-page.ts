import { versionOf } from './api.js';
import { sparkline } from './charts.js';
import { link } from './links.js';
import type { Run, RunStatus } from './model.js';
import { inProgress, type Recipe } from './recipes.js';
import { renderPage } from './render.js';
import { overviewRowHtml } from './row-html.js';
import { hrefOf, runRow, STAGE_HEADS } from './run-row.js';
import { count, type Mark, STATUS_MARKS } from './words.js';

/** Seconds between two looks of an open overview while something is going on. */
const REFRESH_S = 5;

/** A number of the summary line, and the page of the recipes that it counts. */
interface Tally {
  count: number;
  mark: Mark;
  href: string | undefined;
}

/** Which recipes a page shows; `state` groups what says nothing of the recipe as `other`. */
export type Filter =
  | { kind: 'all' }
  | { kind: 'state'; value: RecipeState }
  | { kind: 'level'; value: RecipeLevel };

/** A recipe as the filters see it. */
export type RecipeState = (typeof STATES)[number];
const STATES = ['green', 'red', 'other', 'untested', 'active'] as const;
const STATE_WORDS: Record<RecipeState, string> = {
  green: 'Green',
  red: 'Red',
  other: 'No verdict',
  untested: 'Not tested yet',
  active: 'In progress',
};
export type RecipeLevel = (typeof LEVELS)[number];
const LEVELS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', 'none'] as const;

/** Every page that shows recipes, with its path in the site. */
export const OVERVIEWS: readonly { path: string; filter: Filter }[] = [
  { path: 'index.html', filter: { kind: 'all' } },
  ...STATES.map((value) => ({
    path: `state/${value}/index.html`,
    filter: { kind: 'state', value } as const,
  })),
  ...LEVELS.map((value) => ({
    path: `level/${value}/index.html`,
    filter: { kind: 'level', value } as const,
  })),
];

/** What the overviews of one generation have in common. */
export interface Overview {
  recipes: readonly Recipe[];
  active: readonly Run[];
  broken: readonly Run[];
  base: string;
  /** Row of a recipe as HTML. */
  row: (recipe: Recipe) => string;
}

/** The page `/`, or one of its filtered ones: what goes on, and every recipe with its latest result. */
export function overviewPage(overview: Overview, filter: Filter): string {
  const { recipes, base } = overview;
  const active = inProgress(overview.active);
  const shown = recipes.filter((recipe) => isShown(recipe, filter));
  const all = filter.kind === 'all';
  return renderPage(
    'overview',
    { base, title: all ? 'Recipes' : titleOf(filter), refresh: active.length > 0 ? REFRESH_S : 0 },
    {
      all,
      heading: all ? 'Recipes' : titleOf(filter),
      summary: summarise(recipes, active, base),
      active: all ? active.map((run) => runRow(run, base)) : [],
      stages: STAGE_HEADS,
      total: recipes.length,
      shown: count(shown.length, 'recipe'),
      rows: shown.map(overview.row),
      states: stateLinks(recipes, filter, base),
      levels: levelLinks(recipes, filter, base),
      broken: all ? overview.broken.map((run) => runRow(run, base)) : [],
    },
  );
}

function titleOf(filter: Filter): string {
  if (filter.kind === 'state') return `${STATE_WORDS[filter.value]} recipes`;
  if (filter.kind === 'level')
    return filter.value === 'none' ? 'Recipes without a level' : `Recipes at level ${filter.value}`;
  return 'Recipes';
}

/** A recipe's row of the overview, as HTML. */
export function overviewRow(recipe: Recipe, base: string): string {
  return overviewRowHtml({
    name: recipe.name,
    monogram: monogram(recipe.name),
    hue: hueOf(recipe.name),
    href: link(base, 'recipes', recipe.name, ''),
    version: versionOf(recipe),
    state: stateOf(recipe),
    level: recipe.level?.value,
    missing: recipe.level?.missing,
    latest: recipe.latest && runRow(recipe.latest, base),
    now: recipe.active.map((run) => ({
      mark: STATUS_MARKS[run.status],
      href: hrefOf(run, base),
      text: run.sentence,
    })),
    spark: sparkline(recipe.runs),
  });
}

function stateOf({ latest }: Recipe): RecipeState {
  if (!latest) return 'untested';
  return latest.status === 'green' || latest.status === 'red' ? latest.status : 'other';
}

function isShown(recipe: Recipe, filter: Filter): boolean {
  if (filter.kind === 'level') return String(recipe.level?.value ?? 'none') === filter.value;
  if (filter.kind === 'all') return true;
  return filter.value === 'active' ? recipe.active.length > 0 : stateOf(recipe) === filter.value;
}

interface FilterLink {
  text: string;
  count: number;
  href: string;
  value: string;
  current: boolean;
}

function stateLinks(recipes: readonly Recipe[], filter: Filter, base: string): FilterLink[] {
  const links = STATES.map((value) => ({
    text: STATE_WORDS[value],
    count: recipes.filter((recipe) => isShown(recipe, { kind: 'state', value })).length,
    href: link(base, 'state', value, ''),
    value,
    current: filter.kind === 'state' && filter.value === value,
  }));
  return [
    { text: 'All', count: recipes.length, href: `${base}/`, value: '', current: filter.kind === 'all' },
    ...links.filter((it) => it.count > 0 || it.current),
  ];
}

function levelLinks(recipes: readonly Recipe[], filter: Filter, base: string): FilterLink[] {
  return LEVELS.map((value) => ({
    text: value === 'none' ? 'none' : value,
    count: recipes.filter((recipe) => isShown(recipe, { kind: 'level', value })).length,
    href: link(base, 'level', value, ''),
    value,
    current: filter.kind === 'level' && filter.value === value,
  })).filter((it) => it.count > 0 || it.current);
}

/** Recipes by their latest result, then what runs and waits. Zeros are said only of green, red and running. */
export function summarise(recipes: readonly Recipe[], active: readonly Run[], base: string): Tally[] {
  const results = recipes.map((recipe) => recipe.latest?.status);
  const activity = active.map((run) => run.status);
  const tally = (status: RunStatus, among: readonly (RunStatus | undefined)[], page: RecipeState): Tally => {
    const number = among.filter((it) => it === status).length;
    return {
      count: number,
      mark: STATUS_MARKS[status],
      href: number > 0 ? link(base, 'state', page, '') : undefined,
    };
  };
  const sometimes = (['error', 'lost', 'broken', 'cancelled'] as const).map((it) =>
    tally(it, results, 'other'),
  );
  return [
    tally('green', results, 'green'),
    tally('red', results, 'red'),
    ...sometimes.filter((it) => it.count > 0),
    tally('running', activity, 'active'),
    tally('queued', activity, 'active'),
  ];
}

/** Two letters that stand for a recipe: of its first two words, or the first two. */
export function monogram(name: string): string {
  const [first = '', second] = name.split(/[^a-z0-9]+/).filter(Boolean);
  return second ? first.charAt(0) + second.charAt(0) : first.slice(0, 2);
}

const HUES = 10;

function hueOf(name: string): number {
  let hash = 7;
  for (const char of name) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  return hash % HUES;
}
