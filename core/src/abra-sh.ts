import { join } from 'node:path';
import { envValues } from './env-file.js';
import { readFileIfAny } from './files.js';

/** A recipe's script: what it exports and which functions it has. It is read, not run. */
export interface AbraSh {
  exports: Record<string, string>;
  functions: string[];
}

const FUNCTION =
  /^\s*(?:function\s+([A-Za-z_][\w-]*)\s*(?:\(\s*\))?|([A-Za-z_][\w-]*)\s*\(\s*\))\s*(?:\{|\(|$)/;

/** Reads the lines `export K=V` (as an env file's) and the names of the functions. */
export function parseAbraSh(text: string): AbraSh {
  const lines = text.split(/\r?\n/);
  return {
    exports: envValues(lines.filter((line) => /^\s*export\s/.test(line)).join('\n')),
    functions: lines.map((line) => FUNCTION.exec(line)).flatMap((match) => match?.[1] ?? match?.[2] ?? []),
  };
}

/** The recipe's `abra.sh`; a recipe without one exports nothing. */
export async function readAbraSh(recipeFolder: string): Promise<AbraSh> {
  return parseAbraSh((await readFileIfAny(join(recipeFolder, 'abra.sh'))) ?? '');
}
