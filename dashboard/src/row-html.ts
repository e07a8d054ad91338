import type { Sparkline } from './charts.js';
import { codeHtml, linkHtml, markHtml, titleHtml } from './html.js';
import type { Cell, RunRow } from './run-row.js';
import type { Mark } from './words.js';
import { escapeHtml } from './xml.js';

// The roles say what the elements say already, for browsers that forget it of tables laid out as grids.

/** A recipe's row of the overview. */
export interface OverviewRow {
  name: string;
  href: string;
  monogram: string;
  /** Number of the monogram's colour. */
  hue: number;
  version: string | undefined;
  state: string;
  level: number | undefined;
  missing: string | undefined;
  latest: RunRow | undefined;
  now: { mark: Mark; href: string | undefined; text: string }[];
  spark: Sparkline | undefined;
}

/** A recipe's row of the overview as HTML. */
export function overviewRowHtml(row: OverviewRow): string {
  const { name, level, latest, spark, version } = row;
  const now = row.now.map(
    ({ mark, href, text }) =>
      `<a class="now"${href ? ` href="${escapeHtml(href)}"` : ''}${titleHtml(text)}>${markHtml(mark, { plain: true })}</a>`,
  );
  return [
    `<tr role="row" id="r-${escapeHtml(name)}" data-state="${row.state}" data-level="${level ?? 'none'}"${row.now.length > 0 ? ' data-active' : ''}>`,
    `<th role="rowheader" scope="row" class="m${row.hue}" data-m="${escapeHtml(row.monogram)}"><span class="name"><a href="${escapeHtml(row.href)}">${escapeHtml(name)}</a>${smallHtml(version)}</span>${now.join('')}</th>`,
    levelCell(level, row.missing),
    latest ? resultCells(latest) : '<td role="cell" class="nothing" colspan="7">no result yet</td>',
    `<td role="cell" class="sp">${spark ? sparkHtml(spark) : '<span class="muted">none yet</span>'}</td></tr>\n`,
  ].join('');
}

/** The rows of a recipe's history as HTML. */
export function historyRows(rows: readonly RunRow[]): string[] {
  return rows.map(
    (row) =>
      `<tr role="row"><th role="rowheader" scope="row">${codeHtml({ text: row.id, href: row.href })}</th>${levelCell(row.level, undefined)}${resultCells(row)}</tr>\n`,
  );
}

/**
 * The rows of a table, in groups that a browser lays out when they come into sight.
 * @param size rows of a group; the stylesheet knows how high they are
 */
export function rowGroupsHtml(rows: readonly string[], size: number): string {
  const groups = Array.from({ length: Math.ceil(rows.length / size) }, (_, at) =>
    rows.slice(at * size, (at + 1) * size).join(''),
  );
  return groups.map((group) => `<tbody role="rowgroup" class="rows">\n${group}</tbody>\n`).join('');
}

function levelCell(level: number | undefined, missing: string | undefined): string {
  const inner =
    level === undefined
      ? '<span class="level none" title="no run has told a level yet">none</span>'
      : `<span class="level l${level}"${titleHtml(missing && `Missing: ${missing}`)}><b>${level}</b>/8</span>`;
  return `<td role="cell" class="lv">${inner}</td>`;
}

/** Everything of a run but its name and level. */
function resultCells(row: RunRow): string {
  const { href, mark, sentence, blame, cells, pull, commit, who, when, took } = row;
  const result = href
    ? `<a class="mark ${mark.icon}" href="${escapeHtml(href)}"${titleHtml(sentence)}>${mark.word}</a>`
    : markHtml(mark, { hint: sentence });
  const change = [pull && linkHtml(pull), commit && codeHtml(commit)].filter(Boolean).join(' ');
  return [
    `<td role="cell" class="res">${result}${blame ? ` <span class="muted">${blame}</span>` : ''}</td>`,
    cells.map(stageCell).join(''),
    `<td role="cell" class="change">${change}${smallHtml(who)}</td>`,
    `<td role="cell" class="when"><time datetime="${escapeHtml(when.iso)}">${when.text}</time>${smallHtml(took && `took ${took}`)}</td>`,
  ].join('');
}

function stageCell({ mark, hint, href }: Cell): string {
  const inner = !mark
    ? '<span class="none" title="nothing is known of it">unknown</span>'
    : href
      ? `<a class="mark ${mark.icon}" href="${escapeHtml(href)}"${titleHtml(hint)}>${mark.word}</a>`
      : markHtml(mark, { hint });
  return `<td role="cell" class="stage">${inner}</td>`;
}

function smallHtml(text: string | undefined): string {
  return text === undefined ? '' : `<small>${escapeHtml(text)}</small>`;
}

function sparkHtml({ paths, label }: Sparkline): string {
  const drawn = paths.map(({ tone, d }) => `<path class="${tone}" d="${d}"/>`).join('');
  return `<svg class="spark" role="img" aria-label="${label}">${drawn}</svg>`;
}
