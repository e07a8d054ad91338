/** Where the test code lies: the folder that cc-ci starts its process in. Read before any of it runs. */
const ROOT = `${process.cwd()}/`;

/**
 * What a thrown value says, with its cause, and where in the test code it was thrown; frames of anything else would
 * only hide that.
 */
export function thrownText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && line.includes(ROOT));
  const cause = error.cause === undefined ? [] : [`cause: ${thrownText(error.cause)}`];
  return [error.message || error.name, ...cause, ...frames].join('\n');
}
