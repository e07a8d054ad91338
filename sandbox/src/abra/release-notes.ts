import { join } from 'node:path';
import { readFileIfAny } from '@cc-ci/core';

/** The release notes that a recipe has for these versions, as lines, each version's under its name. */
export async function releaseNotes(recipeFolder: string, versions: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const version of versions) {
    const text = await readFileIfAny(join(recipeFolder, 'release', version));
    if (text !== undefined) lines.push(`release notes of ${version}:`, ...text.trimEnd().split('\n'));
  }
  return lines;
}
