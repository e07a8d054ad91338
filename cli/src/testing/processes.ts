import { readdir, readFile } from 'node:fs/promises';

/** Ids of the processes whose arguments all of `wanted` are among. */
export async function findProcesses(...wanted: string[]): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const argvs = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, i) => wanted.every((word) => argvs[i]?.split('\0').includes(word))).map(Number);
}
