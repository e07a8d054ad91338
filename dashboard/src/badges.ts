import { isActive } from './model.js';
import type { Recipe } from './recipes.js';
import type { Mark } from './words.js';
import { STATUS_MARKS } from './words.js';
import { escapeXml } from './xml.js';

/** Dark enough for white letters (contrast 4.5 and more). */
const COLOURS: Record<Mark['tone'], string> = {
  good: '#1f7a45',
  bad: '#b3212d',
  warn: '#8a5a00',
  live: '#1c57b5',
  idle: '#5b6570',
};
const LEVEL_COLOURS = [
  '#b3212d',
  '#a8442a',
  '#98561f',
  '#8a5a00',
  '#6f6500',
  '#4d6f1e',
  '#35752f',
  '#1f7a45',
  '#146c3f',
];
/** Seconds that shields.io may keep what it read. */
const CACHE_S = 300;

/** The badges of a recipe by their path in `/badges/`: as pictures, and as shields.io's endpoint reads them. */
export function badgeFiles(recipe: Recipe): Map<string, string> {
  const status = recipe.latest && STATUS_MARKS[recipe.latest.status];
  const running = recipe.runs.some(isActive);
  const message = status?.word ?? (running ? 'running' : 'no result');
  const level = recipe.level?.value;
  const badges = {
    '': { label: 'cc-ci', message, colour: COLOURS[status?.tone ?? 'idle'] },
    '-level': {
      label: 'cc-ci level',
      message: level === undefined ? 'none yet' : `${level} of 8`,
      colour: level === undefined ? COLOURS.idle : (LEVEL_COLOURS[level] ?? COLOURS.idle),
    },
  };
  return new Map(
    Object.entries(badges).flatMap(([end, { label, message, colour }]) => [
      [`${recipe.name}${end}.svg`, badgeSvg(label, message, colour)],
      [
        `${recipe.name}${end}.json`,
        `${JSON.stringify({ schemaVersion: 1, label, message, color: colour, cacheSeconds: CACHE_S })}\n`,
      ],
    ]),
  );
}

/** Half a badge is as wide as its text, roughly: the letters are told to fit. */
function badgeSvg(label: string, message: string, colour: string): string {
  const [left, right] = [widthOf(label), widthOf(message)];
  const width = left + right;
  const title = escapeXml(`${label}: ${message}`);
  const text = (words: string, x: number, length: number) =>
    `<text x="${x}" y="14" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escapeXml(words)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="20" role="img" aria-label="${title}">`,
    `<title>${title}</title><clipPath id="r"><rect width="${width}" height="20" rx="4"/></clipPath>`,
    `<g clip-path="url(#r)"><rect width="${left}" height="20" fill="#2b333c"/>`,
    `<rect x="${left}" width="${right}" height="20" fill="${colour}"/></g>`,
    '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">',
    `${text(label, 7, left - 13)}${text(message, left + 6, right - 13)}</g></svg>\n`,
  ].join('');
}

function widthOf(text: string): number {
  const narrow = text.replace(/[^ijltf.,: ]/g, '').length;
  return Math.round((text.length - narrow) * 6.9 + narrow * 3.9 + 13);
}
