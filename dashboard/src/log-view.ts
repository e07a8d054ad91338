import { type Segment, styleLine } from './ansi.js';
import { LINES_PER_PAGE } from './log-lines.js';
import type { LogTail } from './log-tail.js';
import { count, formatBytes } from './words.js';

/** One line of a log on a page. */
export interface LogLineView {
  number: number;
  /** Its place on the page: `prepare-L12`. */
  anchor: string;
  /** The time of day; undefined on lines that came without one. */
  time: string | undefined;
  segments: Segment[];
}

/** A log on a page. */
export interface LogView {
  lines: LogLineView[];
  /** What is said about it: "120 lines, 4.1 kB", "the last 5000 of 81234 lines". */
  size: string;
  /** Whether the page shows only its end. */
  cut: boolean;
  /** Where all of it is, as it is; undefined where it is nowhere else. */
  href: string | undefined;
  /** What comes before: a page of earlier lines; undefined when all of it is here. */
  earlier: string | undefined;
  /** Number of its last line. */
  lastLine: number;
}

const TIMED = /^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(?:\.\d+)?Z /;

/**
 * A log as numbered, linkable lines.
 * @param prefix what the lines' anchors begin with: the stage's name
 */
export function logView(
  tail: LogTail,
  prefix: string,
  { raw, page }: { raw?: string; page?: (number: number) => string } = {},
): LogView {
  const lines = lineViews(tail.lines, tail.firstLine, `${prefix}-`);
  const cut = tail.firstLine > 1;
  const total = tail.firstLine - 1 + lines.length;
  const size = `${count(total, 'line')}, ${formatBytes(tail.bytes)}`;
  return {
    lines,
    cut,
    href: raw,
    earlier: cut ? page?.(Math.ceil((tail.firstLine - 1) / LINES_PER_PAGE)) : undefined,
    lastLine: total,
    size: cut ? `the last ${lines.length} of ${size}` : size,
  };
}

/** Lines with their numbers, from `first` on. @param prefix what anchors have before `L12` */
export function lineViews(lines: readonly string[], first: number, prefix: string): LogLineView[] {
  return lines.map((text, index) => lineView(text, first + index, prefix));
}

/** One line. */
export function lineView(line: string, number: number, prefix: string): LogLineView {
  const timed = TIMED.exec(line);
  return {
    number,
    anchor: `${prefix}L${number}`,
    time: timed?.[1],
    segments: styleLine(timed ? line.slice(timed[0].length) : line),
  };
}
