import { run } from '@cc-ci/core';
import type { PartDefinition } from './definitions.js';

/** On a slow machine the largest part takes a quarter of an hour; this ends a build that hangs. */
const BUILD_TIMEOUT_MS = 60 * 60_000;
const HOW_TO_GET_GO =
  'install Go 1.25.8 or later (https://go.dev/dl) and, for Gitea and Drone, a C compiler; or put the program on PATH';

/** What a build tells while it goes on: how many packages are compiled. */
export type BuildProgress = (packages: number) => void;

/** What a build needs to know. */
export interface GoBuild {
  definition: PartDefinition;
  version: string;
  /** The folder with the part's `go.mod` and `go.sum`. */
  source: string;
  /** Where the program is written. */
  output: string;
  onPackage: BuildProgress;
  signal?: AbortSignal | undefined;
}

/**
 * Builds a program of a module, with exactly the dependencies that its folder's `go.sum` names. What Go has compiled
 * before, in a build that was broken off too, it takes from its own cache.
 * @throws CommandFailedError with the compiler's words
 */
export async function goBuild(build: GoBuild): Promise<void> {
  const { definition, version, output, onPackage } = build;
  const { tags, versionVariable } = definition;
  const args = ['build', '-v', '-trimpath', '-o', output];
  if (tags) args.push('-tags', tags.join(','));
  if (versionVariable) args.push('-ldflags', `-X ${versionVariable}=${version}`);
  let packages = 0;
  await go(build, [...args, definition.package], (line) => {
    if (/^[\w.~+-]+(\/[\w.~+-]+)*$/.test(line)) onPackage(++packages);
  });
}

/** The folder in which Go keeps the source of a module. */
export async function moduleFolder(build: Omit<GoBuild, 'output' | 'onPackage'>): Promise<string> {
  const { stdout } = await go(build, ['list', '-m', '-f', '{{.Dir}}', build.definition.module]);
  return stdout.trim();
}

function go(
  { source, signal, definition }: Pick<GoBuild, 'source' | 'signal' | 'definition'>,
  args: readonly string[],
  onLine?: (line: string) => void,
) {
  const flags = [process.env.GOFLAGS, '-buildvcs=false', '-mod=readonly'].filter(Boolean).join(' ');
  return run('go', args, {
    cwd: source,
    env: { ...process.env, GOFLAGS: flags, GOWORK: 'off', CGO_ENABLED: definition.cgo ? '1' : '0' },
    timeoutMs: BUILD_TIMEOUT_MS,
    missingHint: HOW_TO_GET_GO,
    ...(onLine ? { onLine } : {}),
    ...(signal ? { signal } : {}),
  });
}
