import { stripVTControlCharacters } from 'node:util';
import { userLogin } from '@cc-ci/core';

/**
 * Text of others in Markdown: it stands in code, always. Gitea finds mentions, references, links and emoji in the
 * text of a comment even where Markdown's own signs are escaped, but not in code.
 */

/** Characters that would end a line, reverse the reading direction, or cannot be seen. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** Foreign text as inline code on one line, cut to `limit` characters. */
export function inlineCode(text: string, limit: number): string {
  const line = cut(oneLine(text), limit);
  if (line === '') return '`(empty)`';
  const fence = '`'.repeat(longestBacktickRun(line) + 1);
  return line.includes('`') ? `${fence} ${line} ${fence}` : `${fence}${line}${fence}`;
}

/** The same for a cell of a table, which a bar would end even inside code. */
export function cellCode(text: string, limit: number): string {
  return inlineCode(text.replaceAll('|', '¦'), limit);
}

/** Foreign text as a block of code, cut to `limit` characters. */
export function codeBlock(text: string, limit: number): string {
  const lines = stripVTControlCharacters(text).split(/\r\n|\r|\n/);
  const clean = lines
    .map((line) => line.replaceAll('\t', '    ').replace(UNPRINTABLE, ' ').trimEnd())
    .join('\n');
  const content = cut(clean.replace(/^\n+|\n+$/g, '') || '(empty)', limit);
  const fence = '`'.repeat(Math.max(3, longestBacktickRun(content) + 1));
  return `${fence}text\n${content}\n${fence}`;
}

/**
 * A user's login so that the forge tells that user of the comment; anything that is no login stays in code. To be put
 * first in a line: nothing before it can then pair with what is in it.
 */
export function mention(login: string, limit: number): string {
  return userLogin.safeParse(login).success ? `@${login}` : inlineCode(login, limit);
}

/** Foreign text where no Markdown is read (a commit status): one line, cut to `limit` characters. */
export function plainLine(text: string, limit: number): string {
  return cut(oneLine(text), limit);
}

/**
 * Blocks of Markdown as one text of at most `limit` bytes: what does not fit is left out, the first block and what
 * comes after the cut (`notice`, then `ending`) never.
 */
export function joinBlocks(blocks: readonly string[], notice: string, ending: string, limit: number): string {
  const whole = [...blocks, ending].join('\n\n');
  if (Buffer.byteLength(whole) <= limit) return whole;
  const kept = [...blocks];
  for (;;) {
    const text = [...kept, notice, ending].join('\n\n');
    if (Buffer.byteLength(text) <= limit || kept.length === 1) return text;
    kept.pop();
  }
}

function oneLine(text: string): string {
  return stripVTControlCharacters(text).replace(UNPRINTABLE, ' ').trim();
}

function longestBacktickRun(text: string): number {
  return Math.max(0, ...Array.from(text.matchAll(/`+/g), (match) => match[0].length));
}

/** The first `limit` characters (code points), with an ellipsis where something was cut off. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const characters = Array.from(text.slice(0, 2 * limit));
  if (text.length <= 2 * limit && characters.length <= limit) return text;
  return `${characters.slice(0, limit - 1).join('')}…`;
}
