import { isSettled, type StageName, type StageState } from '@cc-ci/core/reading';
import { commitUrl, hasPage, link, pullUrl } from './links.js';
import { isActive, type Run } from './model.js';
import {
  BLAME_SHORT,
  between,
  formatDuration,
  formatInstant,
  type Mark,
  type ShownStageState,
  STAGE_HINTS,
  STAGE_MARKS,
  STAGE_TITLES,
  STATUS_MARKS,
} from './words.js';

/** Text that may lead somewhere. */
export interface Linked {
  text: string;
  href: string | undefined;
}

/** One stage of a run in a table: what it came to, and where to read more if it went wrong. */
export interface Cell {
  /** undefined: nothing is known. */
  mark: Mark | undefined;
  hint: string | undefined;
  href: string | undefined;
}

/** One run in a table. */
export interface RunRow {
  id: string;
  recipe: Linked | undefined;
  href: string | undefined;
  mark: Mark;
  sentence: string;
  blame: string | undefined;
  level: number | undefined;
  cells: Cell[];
  pull: Linked | undefined;
  commit: Linked | undefined;
  who: string;
  when: { iso: string; text: string };
  took: string | undefined;
}

/** Stages of a table: prepare and teardown are ours, and show themselves in the result when they go wrong. */
export const TABLE_STAGES = ['install', 'upgrade', 'backup', 'recipe-tests'] as const;

/** Those stages as the heads of a table's columns. */
export const STAGE_HEADS = TABLE_STAGES.map((stage) => STAGE_TITLES[stage]);

const LOCAL = 'by hand';

export function runRow(run: Run, base: string): RunRow {
  const href = hrefOf(run, base);
  const took = between(run.startedAt, run.finishedAt);
  return {
    id: run.id,
    recipe: recipeLink(run, base),
    href,
    mark: STATUS_MARKS[run.status],
    sentence: run.sentence,
    blame: run.blame && run.blame !== 'cancelled' ? BLAME_SHORT[run.blame] : undefined,
    level: run.facts?.level?.value,
    cells: TABLE_STAGES.map((stage) => cellOf(run, stage, href)),
    pull: pullLink(run),
    commit: commitLink(run),
    who: whoAsked(run),
    when: { iso: run.time, text: formatInstant(run.time) },
    took: took === undefined ? undefined : formatDuration(took),
  };
}

/** Where a run's page is; undefined where it has none. */
export function hrefOf(run: Run, base: string): string | undefined {
  return hasPage(run.id) ? link(base, 'runs', run.id, '') : undefined;
}

export function recipeLink(run: Run, base: string): Linked | undefined {
  const name = run.recipe;
  return name === undefined ? undefined : { text: name, href: link(base, 'recipes', name, '') };
}

export function pullLink({ request }: Run): Linked | undefined {
  return request?.pr === undefined ? undefined : { text: `#${request.pr}`, href: pullUrl(request) };
}

export function commitLink({ request }: Run): Linked | undefined {
  return request && { text: request.ref.slice(0, 8), href: commitUrl(request) };
}

/** The login of who asked for the run. */
export function whoAsked({ request }: Run): string {
  return request?.requestedBy ?? LOCAL;
}

/** How a stage is shown: in a run that has ended, none is running or to come. */
export function shownState(run: Run, { state }: { state: StageState }): ShownStageState {
  return isSettled(state) || isActive(run) ? state : 'unfinished';
}

function cellOf(run: Run, name: StageName, href: string | undefined): Cell {
  const stage = run.facts?.stages.find((it) => it.stage === name);
  const state = stage && shownState(run, stage);
  const mark = state && STAGE_MARKS[state];
  const wrong = mark?.tone === 'bad' || mark?.tone === 'warn';
  return {
    mark,
    hint: state && STAGE_HINTS[state],
    href: wrong && href ? `${href}#${name}` : undefined,
  };
}
