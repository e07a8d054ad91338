import type { StageName } from '@cc-ci/core/reading';
import { link } from './links.js';
import { LINES_PER_PAGE, type LogIndex } from './log-lines.js';
import { PAGE_LIMITS, shorten } from './log-tail.js';
import { renderPage } from './render.js';
import { count, formatBytes, STAGE_TITLES } from './words.js';

/** Pages at either end of a log that are files of the site; those between are made when somebody asks. */
const STATIC_PAGES = 10;

/** Whether a page of a log is a file of the site: 200 MB of log would be 500 MB of pages that nobody opens. */
export function isStatic({ starts }: LogIndex, page: number): boolean {
  return page < STATIC_PAGES || page >= starts.length - STATIC_PAGES;
}

/** The run that a log is of, as its pages name it. */
export interface LogOwner {
  id: string;
  recipe: string | undefined;
  active: boolean;
}

/** The page `/runs/<id>/logs/<stage>/<page>/` of a long log. @param page from 0; people count from 1 */
export function logPage(
  { id, recipe, active }: LogOwner,
  stage: StageName,
  index: LogIndex,
  page: number,
  lines: readonly string[],
  base: string,
): string {
  const at = (other: number) => link(base, 'runs', id, 'logs', stage, String(other + 1), '');
  const firstLine = page * LINES_PER_PAGE + 1;
  const last = index.starts.length - 1;
  return renderPage(
    'log-page',
    { base, title: `Log of ${STAGE_TITLES[stage]}, run ${id}, page ${page + 1}`, refresh: 0 },
    {
      id,
      recipe: recipe === undefined ? undefined : { text: recipe, href: link(base, 'recipes', recipe, '') },
      run: link(base, 'runs', id, ''),
      stage,
      stageTitle: STAGE_TITLES[stage],
      raw: link(base, 'runs', id, 'logs', `${stage}.log`),
      active,
      size: `${count(index.lines, 'line')}, ${formatBytes(index.bytes)}`,
      range: `lines ${firstLine} to ${firstLine + lines.length - 1}`,
      page: page + 1,
      pages: last + 1,
      first: page > 0 ? at(0) : undefined,
      previous: page > 0 ? at(page - 1) : undefined,
      next: page < last ? at(page + 1) : undefined,
      last: page < last ? at(last) : undefined,
      log: { lines: lines.map((line) => shorten(line, PAGE_LIMITS.width)), firstLine, prefix: '' },
    },
  );
}
