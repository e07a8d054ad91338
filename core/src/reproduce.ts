import type { TestRequest } from './record.js';

/** What of a request decides its result. */
export type Reproducible = Pick<TestRequest, 'recipe' | 'ref' | 'origin'> & {
  /** undefined: where the other machine fetches recipes from by itself. */
  src: string | undefined;
};

/** The command that runs the same test on another machine. */
export function reproduceCommand({ recipe, ref, src, origin }: Reproducible): string {
  const words = ['npx', 'cc-ci', 'run', recipe, '--ref', ref];
  if (src !== undefined) words.push('--src', src);
  if (origin !== undefined && origin !== src) words.push('--origin', origin);
  return words.map(quoteForShell).join(' ');
}

/** A word as a POSIX shell reads it back unchanged; this is for people to copy, we never run it. */
function quoteForShell(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
