import { markHtml, pathHtml } from './html.js';
import { logHtml } from './log-html.js';
import type { StageView } from './stage-view.js';
import { escapeHtml } from './xml.js';

/** All stages of a run in a row. */
export function stripHtml(stages: readonly StageView[]): string {
  const cells = stages.map(({ name, title, mark, hint, begun, elapsed }) => {
    const inner = `<span class="strip-name">${title}</span>${markHtml(mark, { plain: true, hint })}${elapsed ? `<span class="muted">${elapsed}</span>` : ''}`;
    const cell = begun
      ? `<a class="strip-cell" href="#${name}">${inner}</a>`
      : `<div class="strip-cell">${inner}</div>`;
    return `<li class="${mark.tone}">${cell}</li>\n`;
  });
  return cells.join('');
}

/** The section of one stage. @param follow whether more may come */
export function stageHtml(stage: StageView, follow: boolean): string {
  const { name, title, mark, elapsed, log, open } = stage;
  return `<section class="stage-block" id="${name}" aria-labelledby="h-${name}">
<div id="i-${name}" data-live>
<div class="headline">
<h2 id="h-${name}">${title}</h2>
${markHtml(mark)}
${elapsed ? `<span class="muted">${elapsed}</span>\n` : ''}</div>
${reasonHtml(stage)}${notesHtml(stage)}${findingsHtml(stage)}${phasesHtml(stage)}${testsHtml(stage)}${screenshotsHtml(stage)}${filesHtml(stage)}</div>
${log ? logHtml({ title: `Log of ${title}`, log, open, stage: name, follow }) : ''}</section>
`;
}

function notesHtml({ notes }: StageView): string {
  return notes.map((note) => `<p class="note">${escapeHtml(note)}</p>\n`).join('');
}

function reasonHtml({ title, failure, reason, hint }: StageView): string {
  if (failure) {
    const { message, blame, evidence } = failure;
    const lines =
      evidence.length > 0
        ? `<pre class="evidence" tabindex="0" role="region" aria-label="Evidence of ${title}">${escapeHtml(evidence.join('\n'))}</pre>\n`
        : '';
    return `<p class="failure">${escapeHtml(message)} <span class="muted">Blame: ${blame}</span></p>\n${lines}`;
  }
  if (reason) return `<p>${escapeHtml(reason)}</p>\n`;
  return hint ? `<p class="muted">${hint}</p>\n` : '';
}

function findingsHtml({ findings }: StageView): string {
  if (findings.length === 0) return '';
  const items = findings.map(({ mark, rule, message, where }) => {
    const place = where ? ` &middot; <code>${escapeHtml(where)}</code>` : '';
    return `<li class="${mark.tone}"><span class="test-state">${markHtml(mark, { plain: true })}</span><span class="test-name">${escapeHtml(message)}</span><span class="muted test-facts">${escapeHtml(rule)}${place}</span></li>\n`;
  });
  return `<h3>Lint</h3>\n<ul class="tests">\n${items.join('')}</ul>\n`;
}

function phasesHtml({ title, phases, bar }: StageView): string {
  if (phases.length === 0) return '';
  const kind = (ours: boolean) => (ours ? 'ours' : 'theirs');
  const parts = bar.map(
    ({ ours, x, width }) => `<rect class="${kind(ours)}" x="${x}" width="${width}" height="8"/>\n`,
  );
  const drawn =
    parts.length > 0
      ? `<svg class="bar" viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">\n${parts.join('')}</svg>\n`
      : '';
  const items = phases.map(
    ({ name, ours, elapsed = 'not ended' }) =>
      `<li class="${kind(ours)}">${escapeHtml(name)} <b>${elapsed}</b></li>\n`,
  );
  return `${drawn}<ul class="phases" aria-label="Phases of ${title}">\n${items.join('')}</ul>\n`;
}

function testsHtml({ tests, testCount }: StageView): string {
  if (tests.length === 0) return '';
  const items = tests.map(({ mark, names, source, elapsed, message }) => {
    const said = message
      ? `<pre tabindex="0" role="region" aria-label="Message">${escapeHtml(message)}</pre>`
      : '';
    return `<li class="${mark.tone}"><span class="test-state">${markHtml(mark, { plain: true })}</span><span class="test-name">${pathHtml(names)}</span><span class="muted test-facts">${source} &middot; ${elapsed}</span>${said}</li>\n`;
  });
  return `<h3>Tests <span class="muted">${testCount}</span></h3>\n<ul class="tests">\n${items.join('')}</ul>\n`;
}

function screenshotsHtml({ screenshots }: StageView): string {
  if (screenshots.length === 0) return '';
  const items = screenshots.map(({ title, href }) => {
    const picture = href
      ? `<a href="${escapeHtml(href)}"><img src="${escapeHtml(href)}" alt="${escapeHtml(title)}" loading="lazy"></a>`
      : '<p class="missing">The file is missing.</p>';
    return `<li><figure>${picture}<figcaption>${escapeHtml(title)}</figcaption></figure></li>\n`;
  });
  return `<h3>Screenshots</h3>\n<ul class="shots">\n${items.join('')}</ul>\n`;
}

function filesHtml({ files }: StageView): string {
  if (files.length === 0) return '';
  const items = files.map(({ kind, title, href }) => {
    const name = escapeHtml(title);
    if (!href) return `<li>${name} <span class="muted">(missing)</span></li>\n`;
    if (kind !== 'trace') return `<li><a href="${escapeHtml(href)}">${name}</a></li>\n`;
    return `<li><a href="${escapeHtml(href)}" download>${name}</a> <span class="muted">Playwright trace: open it with <code>npx playwright show-trace</code></span></li>\n`;
  });
  return `<h3>Files</h3>\n<ul class="files">\n${items.join('')}</ul>\n`;
}
