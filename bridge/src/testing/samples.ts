import type { Artifact, TestResult } from '@cc-ci/core';
import type { RunFacts } from '../words.js';

/** A run to say something about. */
export const FACTS: RunFacts = {
  run: 'abcd1234',
  recipe: 'custom-html',
  sha: '0123456789abcdef0123456789abcdef01234567',
  author: 'alice',
  publicUrl: 'https://ci.test',
};

/** Its page, and what it is called. */
export const PAGE = 'https://ci.test/runs/abcd1234/';
export const SUBJECT = '`custom-html` at `0123456789ab`, asked for by `alice`';

/** What ends the comment on a run that has ended. */
export const AGAIN = againBlock('npx cc-ci run custom-html --ref 0123456789abcdef0123456789abcdef01234567');

/** The folded command that does the same elsewhere. */
export function againBlock(command: string): string {
  return `<details>\n<summary>Run it yourself</summary>\n\n\`\`\`text\n${command}\n\`\`\`\n\n</details>`;
}

/** A test's result. */
export function someTest(title: string, state: TestResult['state'], message?: string): TestResult {
  const result: TestResult = { source: 'cc-ci', suite: 'the site', title, state, durationMs: 12 };
  return message === undefined ? result : { ...result, message };
}

/** A picture that a stage left. */
export function screenshot(path = 'screenshots/install-1.png'): Artifact {
  return { kind: 'screenshot', path, title: 'landing page' };
}
