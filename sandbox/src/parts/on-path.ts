import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describeError, run } from '@cc-ci/core';
import { PARTS, type PartName, saidVersion } from './definitions.js';

/** A program that is installed. */
export interface Installed {
  executable: string;
  version: string | undefined;
}

/** The part where it is installed in a version that does; says why where one does not. */
export async function findOnPath(
  name: PartName,
  say: (text: string) => void = () => {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<Installed | undefined> {
  const { executable: program, askVersion, accepts } = PARTS[name];
  const executable = await which(program, env);
  if (!executable) return undefined;
  if (!askVersion) return { executable, version: undefined };
  try {
    const { stdout } = await run(executable, askVersion, { timeoutMs: 30_000, env });
    const version = saidVersion(stdout);
    if (version && accepts.test(version)) return { executable, version };
    say(`${executable} is ${version ?? 'of unknown version'}, which is not one of ${accepts}: not used`);
  } catch (error) {
    say(`${executable} does not tell its version (${describeError(error)}): not used`);
  }
  return undefined;
}

/** The first executable file of that name on PATH. */
export async function which(
  program: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, program);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not here: look further.
    }
  }
  return undefined;
}
