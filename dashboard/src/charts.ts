import type { StageName } from '@cc-ci/core';
import { isActive, type Run } from './model.js';
import { count, formatDuration, formatInstant, STAGE_TITLES, STATUS_MARKS } from './words.js';

/** The latest runs as bars, in a box of 100 by 18: each result has a height of its own, so that colour is not all that tells them apart. */
export interface Sparkline {
  /** One path per kind of result. */
  paths: { tone: 'good' | 'bad' | 'idle'; d: string }[];
  /** The same in words. */
  label: string;
}

const SPARK = { runs: 20, step: 5, height: 18 };
const SPARK_HEIGHTS = { good: 18, bad: 11, idle: 4 };

/** The last 20 runs that have ended, the oldest at the left. @param runs the newest first */
export function sparkline(runs: readonly Run[]): Sparkline | undefined {
  const shown = runs
    .filter((run) => !isActive(run))
    .slice(0, SPARK.runs)
    .reverse();
  if (shown.length === 0) return undefined;
  const tones = shown.map(({ status }) => (status === 'green' ? 'good' : status === 'red' ? 'bad' : 'idle'));
  const from = SPARK.runs - shown.length;
  const paths = (['good', 'bad', 'idle'] as const).flatMap((tone) => {
    const bars = tones.flatMap((it, index) =>
      it === tone
        ? [`M${(from + index) * SPARK.step + 2} ${SPARK.height}V${SPARK.height - SPARK_HEIGHTS[tone]}`]
        : [],
    );
    return bars.length > 0 ? [{ tone, d: bars.join('') }] : [];
  });
  const number = (tone: string) => tones.filter((it) => it === tone).length;
  const parts = [`${number('good')} green`, `${number('bad')} red`];
  if (number('idle') > 0) parts.push(`${number('idle')} without a verdict`);
  return {
    paths,
    label: `last ${count(shown.length, 'run')}: ${parts.join(', ')}`,
  };
}

/** The stages whose times are drawn. */
export const CHART_STAGES = ['prepare', 'install', 'upgrade', 'backup', 'recipe-tests', 'teardown'] as const;

/** How long the stages of the latest runs took, as stacked bars. */
export interface DurationChart {
  width: number;
  height: number;
  /** The longest run, as words: the chart's top. */
  top: string;
  /** The parts of all bars that are one stage: a browser draws one path sooner than forty boxes. */
  stages: { stage: StageName; d: string }[];
  bars: { x: number; title: string }[];
  barWidth: number;
  /** The middle run's time per stage, in words. */
  medians: { stage: StageName; title: string; text: string }[];
}

const CHART = { runs: 40, fewest: 16, width: 800, height: 160 };

/** @param runs the newest first */
export function durationChart(runs: readonly Run[]): DurationChart | undefined {
  const shown = wholeRuns(runs).slice(0, CHART.runs).reverse();
  if (shown.length < 2) return undefined;
  const total = (run: Run) => run.facts?.stages.reduce((sum, stage) => sum + (stage.ms ?? 0), 0) ?? 0;
  const longest = Math.max(1, ...shown.map(total));
  // Few runs get broader bars, up to a limit at which they would no longer look like a series.
  const step = CHART.width / Math.max(CHART.fewest, shown.length);
  const barWidth = round(step - 3);
  const drawn = new Map<StageName, string>();
  const bars = shown.map((run, index) => {
    const x = round(index * step);
    let y = CHART.height;
    for (const { stage, ms = 0 } of run.facts?.stages ?? []) {
      const height = round((ms / longest) * CHART.height);
      if (height <= 0) continue;
      drawn.set(stage, `${drawn.get(stage) ?? ''}M${round(x + barWidth / 2)} ${y}v-${height}`);
      y = round(y - height);
    }
    const title = `${formatInstant(run.time)}: ${STATUS_MARKS[run.status].word}, ${formatDuration(total(run))}`;
    return { x, title };
  });
  const medians = CHART_STAGES.flatMap((stage) => {
    const times = shown.flatMap((run) => run.facts?.stages.find((it) => it.stage === stage)?.ms ?? []);
    const middle = times.sort((a, b) => a - b)[times.length >> 1];
    return middle === undefined ? [] : [{ stage, title: STAGE_TITLES[stage], text: formatDuration(middle) }];
  });
  const stages = [...drawn].map(([stage, d]) => ({ stage, d }));
  return { ...CHART, top: formatDuration(longest), stages, bars, barWidth, medians };
}

/** The level of the latest runs that have one, as a line of steps. */
export interface LevelChart {
  width: number;
  height: number;
  d: string;
  /** Heights of the levels 0 to 8. */
  lines: { level: number; y: number }[];
  points: { x: number; y: number; title: string }[];
  label: string;
}

const LEVELS = { height: 120, top: 6, bottom: 114 };

/** @param runs the newest first */
export function levelChart(runs: readonly Run[]): LevelChart | undefined {
  const shown = runs.flatMap((run) => (run.facts?.level ? [{ run, level: run.facts.level.value }] : []));
  const latest = shown.slice(0, CHART.runs).reverse();
  if (latest.length < 2) return undefined;
  const step = CHART.width / latest.length;
  const height = (level: number) => round(LEVELS.bottom - (level / 8) * (LEVELS.bottom - LEVELS.top));
  const points = latest.map(({ run, level }, index) => ({
    x: round((index + 0.5) * step),
    y: height(level),
    title: `${formatInstant(run.time)}: level ${level}`,
  }));
  const d = points
    .map(
      ({ y }, index) => `${index === 0 ? 'M' : 'L'}${round(index * step)} ${y}H${round((index + 1) * step)}`,
    )
    .join('');
  const words = latest.map(({ level }) => level);
  return {
    width: CHART.width,
    height: LEVELS.height,
    d,
    points,
    lines: [0, 2, 4, 6, 8].map((level) => ({ level, y: height(level) })),
    label: `levels of the last ${words.length} runs, the oldest first: ${words.join(', ')}`,
  };
}

/** Runs of all stages that have ended. */
function wholeRuns(runs: readonly Run[]): Run[] {
  return runs.filter((run) => !isActive(run) && run.facts && !run.facts.partial);
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
