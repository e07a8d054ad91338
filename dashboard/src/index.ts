export { createSiteCache, type SiteCache, type SiteResult } from './generation.js';
export { openIndexStore } from './index-store.js';
export { buildDashboardApp, type DashboardAppOptions } from './serve.js';
export { buildSite, type SiteOptions } from './site.js';
export { type Dashboard, siteFolder, startDashboard } from './start.js';
