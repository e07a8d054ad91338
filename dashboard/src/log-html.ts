import { isStyled, styleLine } from './ansi.js';
import type { LogView } from './log-view.js';
import { escapeHtml } from './xml.js';

const TIMED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z /;

/** How each line of a log becomes HTML: its number, its time of day if it begins with one, its text. */
export type LineWriter = (line: string, number: number) => string;

/** @param prefix what stands before `L12` in the anchor of a line */
export function lineWriter(prefix: string): LineWriter {
  // Put together beforehand, for every piece that is added to a text takes memory of its own.
  const start = `<div id="${prefix}L`;
  const middle = `"><a href="#${prefix}L`;
  return (line, number) => {
    const timed = TIMED.test(line);
    const time = timed ? `</a><time>${line.slice(11, 19)}</time>` : '</a>';
    const text = textHtml(timed ? line.slice(line.indexOf('Z') + 2) : line);
    return `${start}${number}${middle}${number}">${number}${time}${text}</div>\n`;
  };
}

/** What is in several styles is one box of its own; most lines are in none. */
function textHtml(text: string): string {
  if (!isStyled(text)) return escapeHtml(text);
  const segments = styleLine(text).map((it) =>
    it.style ? `<i class="${it.style}">${escapeHtml(it.text)}</i>` : escapeHtml(it.text),
  );
  return `<span>${segments.join('')}</span>`;
}

/** A log's lines as HTML. */
export function linesHtml({
  lines,
  firstLine,
  prefix,
}: Pick<LogView, 'lines' | 'firstLine' | 'prefix'>): string {
  const write = lineWriter(prefix);
  let html = '';
  for (let at = 0; at < lines.length; at++) html += write(lines[at] ?? '', firstLine + at);
  return html;
}

/** A log of a run's page, which opens and closes. */
export interface LogBlock {
  log: LogView;
  title: string;
  /** What it is the log of: a stage's name, or `engine`. */
  stage: string;
  open: boolean;
  /** Whether more lines may come. */
  follow: boolean;
}

/** Lines of a log from which on a link to its last one is of use. */
const LONG = 20;

export function logHtml({ log, title, stage, open, follow }: LogBlock): string {
  const { lines, href, earlier } = log;
  const last = lines.length > LONG ? `#${log.prefix}L${log.lastLine}` : undefined;
  const tools = [
    href && `<a href="${escapeHtml(href)}">Raw log</a>`,
    earlier && `<a href="${escapeHtml(earlier)}">Earlier lines</a>`,
    last && `<a href="${last}">Last line</a>`,
  ];
  const body =
    lines.length === 0 && !follow
      ? '<p class="muted">Empty so far.</p>'
      : `<div class="lines${open ? ' at-end' : ''}" role="region" aria-label="${title}" tabindex="0"${follow ? ` data-follow="${log.lastLine}"` : ''}>
<div>
${linesHtml(log)}</div>
</div>`;
  return `<details class="log" data-stage="${stage}"${open ? ' open' : ''}>
<summary>${title} <span class="muted log-size">${log.size}</span></summary>
<div class="log-tools">${tools.filter(Boolean).join(' ')}</div>
${body}
</details>
`;
}
