export { buildDashboardApp, type DashboardAppOptions } from './serve.js';
export { buildSite, createSiteCache, type SiteCache, type SiteOptions, type SiteResult } from './site.js';
export { type Dashboard, siteFolder, startDashboard } from './start.js';
