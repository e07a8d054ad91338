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

  const show = () => {
    if (!live || !now) return;
    const status = { ...now, elapsedMs: performance.now() - now.since };
    output.write(CLEAR + statusLine(status, output.columns ?? 80));
  };
  const print = (...lines: string[]) => {
    const clear = live && now ? CLEAR : '';
    if (lines.length > 0) output.write(clear + lines.map((line) => `${line}\n`).join(''));
    show();
  };
  const timer = live ? setInterval(show, TICK_MS) : undefined;
  timer?.unref();

  return {
    style,
    print,
    say(event) {
      const { stage } = event;
      const lines = progressLines(event, style);
      // Between two phases the stage is still at work.
      if (event.kind === 'stage-start' || event.kind === 'phase-end') {
        print(...lines);
        now = { stage, phase: undefined, since: performance.now() };
      } else if (event.kind === 'phase-start') now = { stage, phase: event.phase, since: performance.now() };
      else if (event.kind === 'stage-end') {
        if (live && now) output.write(CLEAR);
        now = undefined;
        print(...lines);
      } else print(...lines);
      show();
    },
    close() {
      clearInterval(timer);
      if (live && now) output.write(CLEAR);
      now = undefined;
    },
  };
}
