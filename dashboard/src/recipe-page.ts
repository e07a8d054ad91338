import { LEVELS, type StageName, type StageRecord } from '@cc-ci/core';
import { versionOf } from './api.js';
import { CHART_STAGES, durationChart, levelChart } from './charts.js';
import { namesOfTest } from './facts.js';
import { flakyTests } from './flaky.js';
import { link } from './links.js';
import { isActive, type Run } from './model.js';
import { monogram } from './overview-page.js';
import type { Recipe } from './recipes.js';
import { renderPage } from './render.js';
import { commitLink, hrefOf, runRow, STAGE_HEADS } from './run-row.js';
import { count, STAGE_TITLES } from './words.js';

const REFRESH_S = 5;
/** Runs of one page of the history. */
export const HISTORY_PAGE = 50;

/** What a recipe's pages need besides its runs. */
export interface RecipeContext {
  base: string;
  /** The site's whole address, for what is copied elsewhere. */
  url: string;
  /** A stage of a run; undefined where it cannot be read. */
  read: (run: Run, stage: StageName) => StageRecord | undefined;
}

/**
 * The history, cut into pages from the oldest run on: a page that is full never changes again, and its address always
 * shows the same runs. What is left, 50 to 99 runs, is on the recipe's own page.
 */
export function historyPages(runs: readonly Run[]): {
  newest: readonly Run[];
  older: readonly (readonly Run[])[];
} {
  const full = Math.max(0, Math.floor(runs.length / HISTORY_PAGE) - 1);
  const older = Array.from({ length: full }, (_, page) =>
    runs.slice(runs.length - (page + 1) * HISTORY_PAGE, runs.length - page * HISTORY_PAGE),
  );
  return { newest: runs.slice(0, runs.length - full * HISTORY_PAGE), older };
}

/** The page `/recipes/<name>/`: where a recipe stands, how it came there, and its latest runs. */
export function recipePage(recipe: Recipe, { base, url, read }: RecipeContext): string {
  const ended = recipe.runs.filter((run) => !isActive(run));
  const green = ended.filter((run) => run.status === 'green').length;
  const { newest, older } = historyPages(recipe.runs);
  const reached = LEVELS[(recipe.level?.value ?? 0) - 1];
  return renderPage(
    'recipe',
    { base, title: recipe.name, refresh: recipe.active.length > 0 ? REFRESH_S : 0 },
    {
      name: recipe.name,
      monogram: monogram(recipe.name),
      latest: recipe.latest && runRow(recipe.latest, base),
      active: recipe.active.map((run) => runRow(run, base)),
      version: versionOf(recipe),
      repository: repositoryOf(recipe),
      level: recipe.level && {
        value: recipe.level.value,
        title: reached?.title ?? 'does not install yet',
        missing: recipe.level.missing,
        href: hrefOf(recipe.level.run, base),
      },
      ladder: LEVELS.map(({ title, when }, index) => ({
        value: index + 1,
        title,
        when,
        reached: (recipe.level?.value ?? 0) > index,
      })),
      tally: `${count(recipe.runs.length, 'run')}, ${ended.length} ended, ${green} green`,
      stages: STAGE_HEADS,
      rows: newest.map((run) => runRow(run, base)),
      older: older.length > 0 ? olderLinks(recipe, older.length, undefined, base) : undefined,
      durations: durationChart(recipe.runs),
      legend: CHART_STAGES.map((stage) => ({ stage, title: STAGE_TITLES[stage] })),
      levels: levelChart(recipe.runs),
      flaky: flakyTests(recipe.runs, read).map(({ name, passed, failed }) => ({
        names: namesOfTest(name),
        commit: commitLink(failed),
        passed: { id: passed.id, href: hrefOf(passed, base) },
        failed: { id: failed.id, href: hrefOf(failed, base) },
      })),
      badges: badgeSnippets(recipe.name, base, url),
    },
  );
}

/** The page `/recipes/<name>/history/<page>/`; 1 holds the oldest runs. */
export function historyPage(
  recipe: Recipe,
  runs: readonly Run[],
  page: number,
  pages: number,
  base: string,
): string {
  return renderPage(
    'history',
    { base, title: `${recipe.name}, older runs, page ${page}`, refresh: 0 },
    {
      name: recipe.name,
      href: link(base, 'recipes', recipe.name, ''),
      stages: STAGE_HEADS,
      rows: runs.map((run) => runRow(run, base)),
      older: olderLinks(recipe, pages, page, base),
    },
  );
}

function olderLinks(recipe: Recipe, pages: number, current: number | undefined, base: string) {
  const at = (page: number) => link(base, 'recipes', recipe.name, 'history', String(page), '');
  // A full page must not change when another is filled: it says nothing of the newest.
  const newer = current === undefined ? undefined : at(current + 1);
  const isNewestKnown = current !== undefined && current === pages;
  return {
    newest: link(base, 'recipes', recipe.name, ''),
    newer: isNewestKnown ? undefined : newer,
    older: current === undefined ? at(pages) : current > 1 ? at(current - 1) : undefined,
  };
}

/** Where the recipe is developed, as its newest run knows it. */
function repositoryOf({ runs }: Recipe): string | undefined {
  const request = runs.find((run) => run.request)?.request;
  const url = request?.origin ?? request?.src;
  return url && /^https?:\/\//.test(url) ? url.replace(/\.git$/, '') : undefined;
}

function badgeSnippets(name: string, base: string, url: string) {
  const path = encodeURIComponent(name);
  const page = `${url}/recipes/${path}/`;
  return [
    { title: 'Status', file: `${path}.svg` },
    { title: 'Level', file: `${path}-level.svg` },
  ].map(({ title, file }) => ({
    title,
    image: `${base}/badges/${file}`,
    alt: `cc-ci ${title.toLowerCase()} of ${name}`,
    markdown: `[![cc-ci ${title.toLowerCase()}](${url}/badges/${file})](${page})`,
  }));
}
