const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const MARKUP = /[&<>"']/;

/** Text as HTML can hold it, between tags and in attributes. */
export function escapeHtml(text: string): string {
  // Most text has nothing to escape, and looking is cheaper than replacing nothing.
  return MARKUP.test(text) ? text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char) : text;
}

/** Text as XML and HTML can hold it: escaped, and without the characters that XML 1.0 has no way to write. */
export function escapeXml(text: string): string {
  return escapeHtml(text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ''));
}
