import type { Linked } from './run-row.js';
import type { Mark } from './words.js';
import { escapeHtml } from './xml.js';

// Parts of pages that stand on them by the hundred are put together here, and not by templates, which take several times
// as long. Whoever adds to them escapes every value, and writes other
// characters than ASCII as entities: text of one byte a character is several times as fast to search and to write.

/** A state as HTML: a symbol (the stylesheet draws it) and a word. */
export function markHtml(
  { icon, word }: Mark,
  { hint, plain }: { hint?: string | undefined; plain?: boolean } = {},
): string {
  return `<span class="mark ${icon}${plain ? ' plain' : ''}"${titleHtml(hint)}>${word}</span>`;
}

/** The symbol of a state where its word stands elsewhere. */
export function symbolHtml(icon: Mark['icon']): string {
  return `<span class="sym ${icon}"></span>`;
}

/** Text that may lead somewhere, as HTML. */
export function linkHtml({ text, href }: Linked): string {
  const inner = escapeHtml(text);
  return href ? `<a href="${escapeHtml(href)}">${inner}</a>` : inner;
}

/** The same for what is code. */
export function codeHtml({ text, href }: Linked): string {
  const inner = escapeHtml(text);
  return href ? `<a class="code" href="${escapeHtml(href)}">${inner}</a>` : `<code>${inner}</code>`;
}

/** A path of names, the outermost first, as HTML. */
export function pathHtml(names: readonly string[]): string {
  return names.map(escapeHtml).join(' &rsaquo; ');
}

/** A `title` attribute with the space before it; nothing for no text. */
export function titleHtml(text: string | undefined): string {
  return text === undefined ? '' : ` title="${escapeHtml(text)}"`;
}
