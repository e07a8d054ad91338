import { posix } from 'node:path';
import type { Mount, Service } from './compose.js';

/** The named volumes a service mounts: what a backup can reach. */
export const volumeMounts = ({ mounts }: Service): Mount[] =>
  mounts.filter(({ type, source }) => type === 'volume' && source !== '');

/** Whether an absolute path in a container is this folder or below it. */
export function isBelowOrSame(folder: string, path: string): boolean {
  const way = posix.relative(posix.normalize(folder), posix.normalize(path));
  return way !== '..' && !way.startsWith('../');
}

/** The mount that a path in the container lies on: the deepest one. */
export function mountOf(service: Service, path: string): Mount | undefined {
  return service.mounts
    .filter(({ target }) => isBelowOrSame(target, path))
    .sort((a, b) => b.target.length - a.target.length)[0];
}
