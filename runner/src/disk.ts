import { stat, statfs } from 'node:fs/promises';
import { type Config, type Docker, dockerInfo, isLocalDocker } from '@cc-ci/core';

/** What must be free. */
export interface SpaceNeed {
  bytes: number;
  inodes: number;
  /** And this share of the file system's bytes and inodes, from 0 to 100. */
  percent?: number;
}

const GIB = 1024 ** 3;

/**
 * Looks whether the file systems of these paths have room for a run: bytes, and inodes, which run out on their own.
 * Paths that are not there are passed over; several on one file system count once.
 * @returns what is wrong and what to do, in words; nothing when all is well
 */
export async function checkSpace(paths: readonly string[], need: SpaceNeed): Promise<string[]> {
  const seen = new Set<number>();
  const problems: string[] = [];
  for (const path of paths) {
    const device = await deviceOf(path);
    if (device === undefined || seen.has(device)) continue;
    seen.add(device);
    const { bsize, blocks, bavail, files, ffree } = await statfs(path);
    const share = (total: number) => (total * (need.percent ?? 0)) / 100;
    const bytes = Math.max(need.bytes, share(bsize * blocks));
    if (bsize * bavail < bytes) {
      problems.push(
        `${path} has ${gib(bsize * bavail)} GiB free of ${gib(bsize * blocks)} GiB, a run needs ${gib(bytes)} GiB; remove what is not needed, e.g. docker image prune (without --all)`,
      );
    }
    // File systems that make inodes as they need them (btrfs) count none.
    const inodes = Math.max(need.inodes, share(files));
    if (files > 0 && ffree < inodes) {
      problems.push(
        `${path} has ${ffree} inodes free of ${files}, a run needs ${Math.ceil(inodes)}; remove what is made of many small files, e.g. docker image prune (without --all)`,
      );
    }
  }
  return problems;
}

async function deviceOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).dev;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** With as many decimals as tell small sizes apart. */
function gib(bytes: number): string {
  const value = bytes / GIB;
  return value >= 100 ? value.toFixed(0) : value >= 0.1 ? value.toFixed(1) : value.toFixed(4);
}

/**
 * `checkSpace` for what a run fills: the state folder, and the engine's own folder where that is on this machine.
 * @returns as `checkSpace`
 */
export async function checkNodeSpace(docker: Docker, config: Config<'common' | 'runner'>): Promise<string[]> {
  const engine = isLocalDocker(docker) ? [(await dockerInfo(docker)).DockerRootDir] : [];
  return checkSpace([...engine, config.common.stateDir], {
    bytes: config.runner.minDisk * GIB,
    inodes: config.runner.minInodes,
  });
}
