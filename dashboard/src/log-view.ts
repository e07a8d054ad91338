import { LINES_PER_PAGE } from './log-lines.js';
import type { LogTail } from './log-tail.js';
import { count, formatBytes } from './words.js';

/** A log on a page. */
export interface LogView {
  /** As they are in the log. */
  lines: readonly string[];
  /** Number of the first. */
  firstLine: number;
  /** What stands before `L12` in the anchor of a line. */
  prefix: string;
  /** What is said about it: "120 lines, 4.1 kB", "the last 5000 of 81234 lines". */
  size: string;
  /** Where all of it is, as it is; undefined where it is nowhere else. */
  href: string | undefined;
  /** What comes before: a page of earlier lines; undefined when all of it is here. */
  earlier: string | undefined;
  /** Number of its last line. */
  lastLine: number;
}

/**
 * A log as numbered, linkable lines.
 * @param prefix what the lines' anchors begin with: the stage's name
 */
export function logView(
  tail: LogTail,
  prefix: string,
  { raw, page }: { raw?: string; page?: (number: number) => string } = {},
): LogView {
  const { lines, firstLine, bytes } = tail;
  const isCut = firstLine > 1;
  const total = firstLine - 1 + lines.length;
  const size = `${count(total, 'line')}, ${formatBytes(bytes)}`;
  return {
    lines,
    firstLine,
    prefix: `${prefix}-`,
    href: raw,
    earlier: isCut ? page?.(Math.ceil((firstLine - 1) / LINES_PER_PAGE)) : undefined,
    lastLine: total,
    size: isCut ? `the last ${lines.length} of ${size}` : size,
  };
}
