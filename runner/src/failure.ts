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
    return { blame: 'ci', message: headline.replace(/:$/, ''), evidence: lastLines(error.trace.output) };
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
