import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { LogLineView } from './log-view.js';
import type { Linked } from './run-row.js';
import type { Mark } from './words.js';
import { escapeHtml, escapeXml } from './xml.js';

const roomFile = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const templates = new (class extends Eta {
  readonly markHtml = markHtml;
  readonly linkHtml = linkHtml;
  readonly linesHtml = linesHtml;
})({
  views: roomFile('templates'),
  cache: true,
  autoEscape: true,
  autoTrim: [false, 'nl'],
  functionHeader: 'const { markHtml, linkHtml, linesHtml } = this;',
});

/** Files that are part of the site as they are, by their path in it. */
export const ASSETS: Record<string, string> = {
  'style.css': readFileSync(roomFile('assets/style.css'), 'utf8'),
  'site.js': readFileSync(roomFile('assets/site.js'), 'utf8'),
  'icon.svg': readFileSync(roomFile('assets/icon.svg'), 'utf8'),
};

/** Changes with stylesheet and script, so that no browser shows a new page in an old dress. */
const ASSET_VERSION = createHash('sha256')
  .update(ASSETS['style.css'] ?? '')
  .update(ASSETS['site.js'] ?? '')
  .digest('hex')
  .slice(0, 10);

/** What every page has. */
export interface PageFrame {
  /** What comes before the site's root in links: empty, or a path such as `/ci`. */
  base: string;
  title: string;
  /** Seconds after which the page asks for itself again; 0: never. */
  refresh: number;
}

/** A state as HTML: a symbol and a word. Not a template, for a page of history has 400 of them. */
function markHtml(mark: Mark, { hint, plain }: { hint?: string | undefined; plain?: boolean } = {}): string {
  const title = hint === undefined ? '' : ` title="${escapeXml(hint)}"`;
  const spin = mark.icon === 'play' ? ' spin' : '';
  return `<span class="mark ${mark.tone}${plain ? ' plain' : ''}"${title}><svg class="i${spin}" aria-hidden="true"><use href="#i-${mark.icon}"/></svg>${mark.word}</span>`;
}

/** Text that may lead somewhere, as HTML. */
function linkHtml({ text, href }: Linked): string {
  const inner = escapeHtml(text);
  return href ? `<a href="${escapeHtml(href)}">${inner}</a>` : inner;
}

/** One line of a log as HTML. Not a template either: pages have 1,000 of them. */
export function lineHtml({ number, anchor, time, segments }: LogLineView): string {
  const at = escapeHtml(anchor);
  const clock = time ? `<time datetime="${escapeHtml(time.iso)}">${escapeHtml(time.text)}</time>` : '';
  const text = segments
    .map((it) => (it.style ? `<i class="${it.style}">${escapeHtml(it.text)}</i>` : escapeHtml(it.text)))
    .join('');
  return `<div class="l" id="${at}"><a href="#${at}">${number}</a>${clock}<span>${text}</span></div>`;
}

function linesHtml(lines: readonly LogLineView[]): string {
  return lines.map((line) => `${lineHtml(line)}\n`).join('');
}

/** A page as HTML. Every value is escaped by the templates. */
export function renderPage(
  template: 'overview' | 'run' | 'recipe' | 'history' | 'log-page' | 'not-found',
  frame: PageFrame,
  view: object,
): string {
  return templates.render(`./${template}`, { ...view, ...frame, assets: ASSET_VERSION });
}

/** A recipe's row of the overview as HTML. */
export function renderRow(view: object): string {
  return templates.render('./overview-row', view);
}
