import { type Segment, styleLine } from './ansi.js';
import type { LogTail } from './log-tail.js';
import { count, formatBytes } from './words.js';

/** One line of a log on a page. */
export interface LogLineView {
  number: number;
  /** Its place on the page: `prepare-L12`. */
  anchor: string;
  /** ISO time and the part of it that is shown; absent on lines that came without one. */
  time: { iso: string; text: string } | undefined;
  segments: Segment[];
}

/** A log on a page. */
export interface LogView {
  lines: LogLineView[];
  /** What is said about it: "120 lines, 4.1 kB", "the last 5000 of 81234 lines". */
  size: string;
  /** Whether the page shows only its end. */
  cut: boolean;
  /** Where all of it is; undefined when it is all here. */
  href: string | undefined;
}

const TIMED = /^(\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(?:\.\d+)?Z) (.*)$/s;

/**
 * A log as numbered, linkable lines.
 * @param prefix what the lines' anchors begin with: the stage's name
 */
export function logView(tail: LogTail, prefix: string, href: string | undefined): LogView {
  const lines = tail.lines.map((text, index) => lineView(text, tail.firstLine + index, prefix));
  const cut = tail.firstLine > 1;
  const total = tail.firstLine - 1 + lines.length;
  const size = `${count(total, 'line')}, ${formatBytes(tail.bytes)}`;
  return { lines, cut, href, size: cut ? `the last ${lines.length} of ${size}` : size };
}

function lineView(line: string, number: number, prefix: string): LogLineView {
  const [, iso, clock, text] = TIMED.exec(line) ?? [];
  return {
    number,
    anchor: `${prefix}-L${number}`,
    time: iso !== undefined && clock !== undefined ? { iso, text: clock } : undefined,
    segments: styleLine(text ?? line),
  };
}
