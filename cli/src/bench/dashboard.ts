import { fileURLToPath } from 'node:url';
import { type DashboardReport, FULL_DASHBOARD, measureSite } from '@cc-ci/dashboard/bench';
import { NODE_FLAGS } from '../heap.js';
import { type Measure, measured, median, type Question } from './measure.js';

const PROGRAM = {
  path: fileURLToPath(new URL('./dashboard-program.js', import.meta.url)),
  flags: NODE_FLAGS,
};
const KB = 1_024;

const atMost = (name: string, limit: number, unit: string): Question => ({
  name: `dashboard: ${name}`,
  unit,
  bound: 'at-most',
  limit,
});

const SITE = '300 recipes and 20,000 runs';
const QUESTIONS = {
  full: atMost(`every page of ${SITE}, from nothing`, 10, 's'),
  incremental: atMost(`after one more run, ${SITE}`, 100, 'ms'),
  memory: atMost(`peak memory of the builds, ${SITE}`, 200, 'MB'),
  overview: atMost('overview of 300 recipes with its stylesheet and script, compressed', 60, 'KB'),
  // A twentieth of the log, which compresses as well as the page does.
  longLog: atMost('over the wire to open the page of a run with a log of 20 MB', 100, 'KB'),
  paint: atMost('first contentful paint, processor slowed down 4 times, the slowest page', 300, 'ms'),
  readers: atMost('a line of a live log to 500 readers, one of them stuck, 99th percentile', 1, 's'),
};

/** A site as large as it may become, built, opened in a browser, and a live log with as many readers as there may be. */
export async function measureDashboard(tell: (line: string) => void): Promise<Measure[]> {
  return dashboardMeasures(await measureSite(FULL_DASHBOARD, tell, PROGRAM));
}

/** What is promised of the dashboard, and whether it was kept. */
export function dashboardMeasures({ build, longLog, readers, firstPaint }: DashboardReport): Measure[] {
  const { full, incremental, memoryMb, overview } = build;
  // A site with pages missing was not built.
  const wholeMs = full.problems.length === 0 ? full.ms : undefined;
  const paints = Object.entries(firstPaint).map(([page, times]) => ({ page, ms: median(times), times }));
  // Nobody was slowed down by a reader who was not behind.
  const p99 = readers.slowReaderBehind > 0 ? readers.latencyMs.p99 : undefined;
  return [
    measured(QUESTIONS.full, wholeMs === undefined ? undefined : wholeMs / 1_000, full),
    measured(QUESTIONS.incremental, median(incremental.map(({ ms }) => ms)), incremental),
    measured(QUESTIONS.memory, memoryMb.all, memoryMb),
    measured(QUESTIONS.overview, (overview.page + overview.style + overview.script) / KB, overview),
    measured(QUESTIONS.longLog, longLog.bytes / KB, longLog),
    measured(QUESTIONS.paint, Math.max(...paints.map(({ ms }) => ms)), paints),
    measured(QUESTIONS.readers, p99 === undefined ? undefined : p99 / 1_000, readers),
  ];
}
