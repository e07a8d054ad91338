import { fileURLToPath } from 'node:url';
import type { TestRequest } from '@cc-ci/core';

/** This program, as an argv for child processes: the same Node, the same code. */
export function selfCommand(...args: readonly string[]): string[] {
  return [process.execPath, fileURLToPath(new URL('../bin/cc-ci.js', import.meta.url)), ...args];
}

/** `cc-ci run` for a request; what an engine starts for a build. */
export function runArguments(request: TestRequest, timeoutSeconds: number): string[] {
  const optional = (flag: string, value: string | number | undefined) =>
    value === undefined ? [] : [`${flag}=${value}`];
  return [
    'run',
    request.recipe,
    `--run=${request.run}`,
    `--ref=${request.ref}`,
    `--src=${request.src}`,
    ...optional('--origin', request.origin),
    ...optional('--repo', request.repo),
    ...optional('--pr', request.pr),
    ...optional('--requested-by', request.requestedBy),
    `--timeout=${timeoutSeconds}`,
  ];
}
