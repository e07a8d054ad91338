import type { Progress } from '@cc-ci/runner';
import { progressLines, type Style, statusLine } from './progress.js';

/** Where a run tells its progress: one line an event, and on a terminal a last line that says what it is doing. */
export interface Terminal {
  readonly style: Style;
  say(event: Progress): void;
  /** Prints lines as they are. */
  print(...lines: string[]): void;
  /** Takes the status line away; nothing runs after it. */
  close(): void;
}

/** What a terminal is made of; a pipe has no columns and is no TTY. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

const TICK_MS = 1_000;
const UNKNOWN_COLUMNS = 80;
/** Back to the first column, and clear to the end of the line. */
const CLEAR = '\r\u001b[K';

/**
 * A terminal over this stream. Colours and the status line only where it is a TTY that can do them; no colours where
 * NO_COLOR is set (https://no-color.org).
 */
export function openTerminal(output: Output, env: NodeJS.ProcessEnv): Terminal {
  const live = output.isTTY === true && env.TERM !== 'dumb';
  const style = { colour: live && !env.NO_COLOR };
  let now: { stage: Progress['stage']; phase: string | undefined; since: number } | undefined;

  const status = () =>
    live && now
      ? statusLine({ ...now, elapsedMs: performance.now() - now.since }, output.columns || UNKNOWN_COLUMNS)
      : '';
  /** Lines in place of the status line, which then stands below them. */
  const show = (lines: readonly string[]) => {
    const text = (live ? CLEAR : '') + lines.map((line) => `${line}\n`).join('') + status();
    if (text) output.write(text);
  };
  const timer = live ? setInterval(() => now && show([]), TICK_MS) : undefined;
  timer?.unref();

  return {
    style,
    print: (...lines) => show(lines),
    say(event) {
      const { stage } = event;
      // Between two phases the stage is still at work.
      if (event.kind === 'stage-start' || event.kind === 'phase-end')
        now = { stage, phase: undefined, since: performance.now() };
      if (event.kind === 'phase-start') now = { stage, phase: event.phase, since: performance.now() };
      if (event.kind === 'stage-end') now = undefined;
      show(progressLines(event, style));
    },
    close() {
      clearInterval(timer);
      if (live && now) output.write(CLEAR);
      now = undefined;
    },
  };
}
