import { doJob } from './do-job.js';

await doJob();
