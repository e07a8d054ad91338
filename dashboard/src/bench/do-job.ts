import { once } from 'node:events';
import { buildOnce } from './build-once.js';
import type { Job } from './children.js';
import { serveSite } from './serve-job.js';

/** What a measured process does: the job it is told of, until whoever started it lets go. */
export async function doJob(): Promise<void> {
  const letGo = once(process, 'disconnect');
  const [job] = (await once(process, 'message')) as [Job];
  if ('build' in job) {
    process.send?.(await buildOnce(job.build));
    return;
  }
  const { url, close } = await serveSite(job.serve);
  process.send?.({ url });
  await letGo;
  await close();
}
