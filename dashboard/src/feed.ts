import { hasPage } from './links.js';
import { isActive, type Run } from './model.js';
import { STATUS_MARKS } from './words.js';
import { escapeXml } from './xml.js';

/** Results in the feed. */
export const FEED_LENGTH = 50;

/**
 * The newest results as an Atom feed (RFC 4287).
 * @param runs the newest first
 * @param url the site's address without a slash at its end; empty where nobody said it: links are then relative
 */
export function atomFeed(runs: readonly Run[], url: string): string {
  const shown = runs.filter((run) => !isActive(run) && hasPage(run.id)).slice(0, FEED_LENGTH);
  const updated = shown.map(updatedAt).sort().at(-1) ?? '1970-01-01T00:00:00.000Z';
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<feed xmlns="http://www.w3.org/2005/Atom">',
    '<title>cc-ci: results of recipe tests</title>',
    `<id>${escapeXml(url ? `${url}/feed.xml` : 'urn:cc-ci:results')}</id>`,
    `<link rel="self" type="application/atom+xml" href="${escapeXml(`${url}/feed.xml`)}"/>`,
    `<link rel="alternate" type="text/html" href="${escapeXml(`${url}/`)}"/>`,
    `<updated>${updated}</updated>`,
    '<author><name>cc-ci</name></author>',
    ...shown.map((run) => entryXml(run, url)),
    '</feed>',
    '',
  ].join('\n');
}

function entryXml(run: Run, url: string): string {
  const page = `${url}/runs/${run.id}/`;
  const { request } = run;
  const what = request
    ? `${request.recipe}${request.pr === undefined ? '' : ` #${request.pr}`} at ${request.ref.slice(0, 8)}`
    : run.id;
  return [
    '<entry>',
    `<title>${escapeXml(`${what}: ${STATUS_MARKS[run.status].word}`)}</title>`,
    `<id>${escapeXml(url ? page : `urn:cc-ci:run:${run.id}`)}</id>`,
    `<link rel="alternate" type="text/html" href="${escapeXml(page)}"/>`,
    `<updated>${updatedAt(run)}</updated>`,
    `<summary>${escapeXml(run.sentence)}</summary>`,
    ...(request?.requestedBy ? [`<author><name>${escapeXml(request.requestedBy)}</name></author>`] : []),
    '</entry>',
  ].join('\n');
}

function updatedAt(run: Run): string {
  return run.finishedAt ?? run.time;
}

/** The pages worth finding, for search engines: not those of runs, of which there are too many. */
export function sitemap(recipes: readonly string[], url: string): string {
  const pages = [`${url}/`, ...recipes.map((name) => `${url}/recipes/${encodeURIComponent(name)}/`)];
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
    ...pages.map((page) => `<url><loc>${escapeXml(page)}</loc></url>`),
    '</urlset>',
    '',
  ].join('\n');
}

/** What robots may look at: everything but raw logs, which are many and large. */
export function robots(base: string, url: string): string {
  const lines = ['User-agent: *', `Disallow: ${base}/runs/*/logs/`, `Disallow: ${base}/runs/*/log/`];
  if (url) lines.push('', `Sitemap: ${url}/sitemap.xml`);
  return `${lines.join('\n')}\n`;
}
