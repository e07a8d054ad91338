import type { LogLineView, LogView } from './log-view.js';
import { escapeHtml } from './xml.js';

/** One line of a log as HTML. */
export function lineHtml({ number, anchor, time, segments }: LogLineView): string {
  const clock = time ? `<time>${time}</time>` : '';
  let text = '';
  for (const { style, text: part } of segments)
    text += style ? `<i class="${style}">${escapeHtml(part)}</i>` : escapeHtml(part);
  return `<div class="l" id="${anchor}"><a href="#${anchor}">${number}</a>${clock}<span>${text}</span></div>`;
}

/** A log's lines as HTML. */
export function linesHtml(lines: readonly LogLineView[]): string {
  let html = '';
  for (const line of lines) html += `${lineHtml(line)}\n`;
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
  const last = lines.length > LONG ? lines.at(-1) : undefined;
  const tools = [
    href && `<a href="${escapeHtml(href)}">Raw log</a>`,
    earlier && `<a href="${escapeHtml(earlier)}">Earlier lines</a>`,
    last && `<a href="#${last.anchor}">Last line</a>`,
  ];
  const body =
    lines.length === 0 && !follow
      ? '<p class="muted">Empty so far.</p>'
      : `<div class="lines${open ? ' at-end' : ''}" role="region" aria-label="${title}" tabindex="0"${follow ? ` data-follow="${log.lastLine}"` : ''}>
<div>
${linesHtml(lines)}</div>
</div>`;
  return `<details class="log" data-stage="${stage}"${open ? ' open' : ''}>
<summary>${title} <span class="muted log-size">${log.size}</span></summary>
<div class="log-tools">${tools.filter(Boolean).join(' ')}</div>
${body}
</details>
`;
}
