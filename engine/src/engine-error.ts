import { CcCiError } from '@cc-ci/core';

/** An engine could not do what it was asked. */
export class EngineError extends CcCiError {
  /** Whether asking again later may help without anybody changing anything (the server is down, slow, restarting). */
  readonly retry: boolean;
  /** Whether it is sure that no build was started; otherwise the next `start` looks for one first. */
  readonly nothingStarted: boolean;

  constructor(
    message: string,
    options: { retry: boolean; nothingStarted?: boolean; hint?: string; cause?: unknown },
  ) {
    super(message, options);
    this.retry = options.retry;
    this.nothingStarted = options.nothingStarted ?? false;
  }
}
