export type { BuildReport, Timing } from './build-once.js';
export { doJob } from './do-job.js';
export type { Opened } from './long-log.js';
export { type DashboardReport, type DashboardScale, FULL_DASHBOARD, measureSite } from './measure-site.js';
export type { ReadersReport } from './readers.js';
