import { readFile } from 'node:fs/promises';
import { InputError, repoPattern } from '@cc-ci/core';

/** Which repositories of the organisation are tested. */
export interface Enrolment {
  /** Where a repository is to be added to be enrolled. */
  how: 'setting' | 'file';
  /**
   * @param name the repository's name without its organisation
   * @throws InputError when the file of patterns cannot be read: nobody is enrolled by mistake
   */
  admits(name: string): Promise<boolean>;
}

/**
 * Enrolment by patterns, followed by those in a file. The file is read at every question: commands are rare, and so
 * enrolling needs no restart. With neither of them, everything is enrolled.
 */
export function createEnrolment(options: {
  patterns: readonly string[] | undefined;
  file: string | undefined;
}): Enrolment {
  const { patterns, file } = options;
  const given = patterns ?? (file === undefined ? ['*'] : []);
  return {
    how: file === undefined ? 'setting' : 'file',
    async admits(name) {
      return isEnrolled(name, file === undefined ? given : [...given, ...(await readPatterns(file))]);
    },
  };
}

/** The last pattern that matches decides, so that adding a name always enrolls it; without any, it is not. */
export function isEnrolled(name: string, patterns: readonly string[]): boolean {
  const last = patterns.findLast((pattern) => matches(pattern.replace(/^!/, ''), name));
  return last !== undefined && !last.startsWith('!');
}

/** Names of repositories are the same to the forge in upper and lower case. */
function matches(pattern: string, name: string): boolean {
  const source = pattern.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*').replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i').test(name);
}

async function readPatterns(file: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new InputError(`CC_CI_ENROLLED_FILE=${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  return lines.filter((line) => line !== '').map((line) => checkedPattern(line, file));
}

function checkedPattern(line: string, file: string): string {
  if (repoPattern.safeParse(line).success) return line;
  throw new InputError(`CC_CI_ENROLLED_FILE=${file}: ${JSON.stringify(line)} is no pattern`, {
    hint: 'one a line, such as wordpress, *, !traefik',
  });
}
