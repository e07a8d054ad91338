import type { BrowserContext } from '@playwright/test';

/** A page that logs in a loop must not fill the disk: characters that are kept, of all messages and of one. */
const LARGEST_LOG = 1_000_000;
const LARGEST_MESSAGE = 50_000;

/**
 * Writes down what the pages of a browser say from now on: console messages, errors nobody caught, requests that got
 * no answer. Answers all lines so far, each with its time.
 */
export function recordConsole(context: BrowserContext): () => string[] {
  const lines: string[] = [];
  let size = 0;
  let dropped = 0;
  const add = (kind: string, text: string) => {
    const line = `${new Date().toISOString()} ${kind}: ${text}`;
    // Whole or not at all: half a secret could not be found any more.
    if (line.length > LARGEST_MESSAGE || size + line.length > LARGEST_LOG) dropped++;
    else {
      lines.push(line);
      size += line.length;
    }
  };
  context.on('console', (message) => {
    const { url, lineNumber } = message.location();
    add(`console ${message.type()}`, url ? `${message.text()} (${url}:${lineNumber + 1})` : message.text());
  });
  context.on('weberror', (webError) => {
    const error = webError.error();
    add('page error', error.stack || error.message || String(error));
  });
  context.on('requestfailed', (request) => {
    add(
      'request failed',
      `${request.method()} ${request.url()} ${request.failure()?.errorText ?? ''}`.trim(),
    );
  });
  return () => (dropped > 0 ? [...lines, `${dropped} messages were too many or too long`] : [...lines]);
}
