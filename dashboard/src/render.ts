import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';

const roomFile = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const templates = new Eta({
  views: roomFile('templates'),
  cache: true,
  autoEscape: true,
  autoTrim: [false, 'nl'],
});

/** Files that are part of the site as they are, by their path in it. */
export const ASSETS: Record<string, string> = {
  'style.css': readFileSync(roomFile('assets/style.css'), 'utf8'),
  'icon.svg': readFileSync(roomFile('assets/icon.svg'), 'utf8'),
  'robots.txt': readFileSync(roomFile('assets/robots.txt'), 'utf8'),
};

/** Changes with the stylesheet, so that no browser shows a new page in an old dress. */
const STYLE_VERSION = createHash('sha256')
  .update(ASSETS['style.css'] ?? '')
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
  template: 'overview' | 'run' | 'recipe' | 'not-found',
  frame: PageFrame,
  view: object,
): string {
  return templates.render(`./${template}`, { ...view, ...frame, styleVersion: STYLE_VERSION });
}
