import {
  type Blame,
  CancelledError,
  CcCiError,
  CommandFailedError,
  CommandLimitError,
  CommandTimeoutError,
  describeError,
  type Failure,
} from '@cc-ci/core';
import { signalOf } from './signals.js';

/** A stage cannot pass: whose fault it is, one sentence for people, and the lines that show it. */
export class StageFailure extends CcCiError {
  readonly blame: Blame;
  readonly evidence: readonly string[];

  constructor(blame: Blame, message: string, evidence: readonly string[] = [], cause?: unknown) {
    super(message, { cause });
    this.blame = blame;
    this.evidence = evidence;
  }
}

/** A stage has nothing to do, and this is why. It ends the stage in that state, not as a failure. */
export class StageSkip extends CcCiError {
  readonly state: 'declared-skip' | 'structural-skip' | 'base-broken';
  /** Lines that show it. */
  readonly notes: readonly string[];

  constructor(state: StageSkip['state'], reason: string, notes: readonly string[] = []) {
    super(reason);
    this.state = state;
    this.notes = notes;
  }
}

/** The run took longer than it may; the reason its work is aborted with. */
export class DeadlineError extends CcCiError {}

const EVIDENCE_LINES = 50;

/** What any error a stage ended with means for the run. What nobody foresaw is ours. */
export function failureOf(error: unknown): Failure {
  if (error instanceof StageFailure) {
    return { blame: error.blame, message: error.message, evidence: [...error.evidence] };
  }
  if (error instanceof DeadlineError) return { blame: 'timeout', message: error.message, evidence: [] };
  if (error instanceof CancelledError) return { blame: 'cancelled', message: error.message, evidence: [] };
  if (error instanceof CommandTimeoutError) {
    return { blame: 'timeout', message: error.message, evidence: lastLines(error.trace.output) };
  }
  if (error instanceof CommandLimitError) {
    return { blame: 'ci', message: error.message, evidence: lastLines(error.trace.output) };
  }
  if (error instanceof CommandFailedError) {
    const [headline = error.message] = error.message.split('\n');
    const signal = signalOf(error.trace.output);
    const what = headline.replace(/:$/, '');
    return {
      blame: signal?.blame ?? 'ci',
      message: signal ? `${what}: ${signal.why}` : what,
      evidence: lastLines(error.trace.output),
    };
  }
  return { blame: 'ci', message: describeError(error), evidence: [] };
}

/** The last lines of a text, without empty ones. */
export function lastLines(text: string, count = EVIDENCE_LINES): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim())
    .slice(-count);
}
