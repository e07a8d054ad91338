import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import { codeHtml, linkHtml, markHtml, pathHtml, symbolHtml } from './html.js';
import { linesHtml, logHtml } from './log-html.js';
import { historyRows, rowGroupsHtml } from './row-html.js';
import { stageHtml, stripHtml } from './stage-html.js';

const roomFile = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** What templates may call besides what they are given. */
const HELPERS = {
  codeHtml,
  historyRows,
  linesHtml,
  linkHtml,
  logHtml,
  markHtml,
  pathHtml,
  rowGroupsHtml,
  stageHtml,
  stripHtml,
  symbolHtml,
};

const templates = new (class extends Eta {
  readonly helpers = HELPERS;
})({
  autoEscape: true,
  autoTrim: [false, 'nl'],
  functionHeader: `const { ${Object.keys(HELPERS).join(', ')} } = this.helpers;`,
});

// By name, which `@` tells Eta: where files lie it would find out anew for every page.
for (const file of readdirSync(roomFile('templates')))
  templates.loadTemplate(`@${basename(file, '.eta')}`, readFileSync(roomFile(`templates/${file}`), 'utf8'));

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

/** A page as HTML. Every value is escaped by the templates. */
export function renderPage(
  template: 'overview' | 'run' | 'recipe' | 'history' | 'log-page' | 'not-found',
  frame: PageFrame,
  view: object,
): string {
  return templates.render(`@${template}`, { ...view, ...frame, assets: ASSET_VERSION });
}
