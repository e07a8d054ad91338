import type { Artifact, Phase, StageName, StageRecord, TestResult } from '@cc-ci/core/reading';
import { plainText } from './ansi.js';
import { link } from './links.js';
import { type LogView, logView } from './log-view.js';
import type { Run } from './model.js';
import type { RunFiles } from './run-page.js';
import { shownState } from './run-row.js';
import {
  BLAME_WORDS,
  between,
  count,
  FINDING_MARKS,
  formatDuration,
  type Mark,
  STAGE_HINTS,
  STAGE_MARKS,
  STAGE_TITLES,
} from './words.js';

/** A stage as a run's page shows it. */
export interface StageView {
  name: StageName;
  title: string;
  mark: Mark;
  hint: string | undefined;
  /** Whether there is anything to tell of it. */
  begun: boolean;
  elapsed: string | undefined;
  reason: string | undefined;
  failure: { blame: string; message: string; evidence: string[] } | undefined;
  notes: string[];
  /** What static lint found, whatever the run came to. */
  findings: { mark: Mark; rule: string; message: string; where: string | undefined }[];
  phases: { name: string; ours: boolean; elapsed: string | undefined }[];
  bar: { name: string; x: number; width: number; ours: boolean }[];
  tests: TestView[];
  testCount: string;
  screenshots: FileLink[];
  files: FileLink[];
  log: LogView | undefined;
  /** Whether the log is open, and scrolled to its end, when the page opens. */
  open: boolean;
}

interface TestView {
  source: string;
  /** Its suite, if it has one, and its title. */
  names: string[];
  state: TestResult['state'];
  mark: Mark;
  elapsed: string;
  message: string | undefined;
}

/** @param now milliseconds since 1970; what is running is measured against it */
export function stageView(
  run: Run,
  stage: StageRecord,
  files: RunFiles,
  base: string,
  now: number,
): StageView {
  const state = shownState(run, stage);
  const log = files.logs.get(stage.stage);
  const links = artifactLinks(run, stage, files, base);
  return {
    name: stage.stage,
    title: STAGE_TITLES[stage.stage],
    mark: STAGE_MARKS[state],
    hint: STAGE_HINTS[state],
    begun: state !== 'pending',
    elapsed: elapsed(stage, state === 'running' ? now : undefined),
    reason: stage.reason && plainText(stage.reason),
    failure: stage.failure && {
      blame: BLAME_WORDS[stage.failure.blame],
      message: plainText(stage.failure.message),
      // The top of the page shows the evidence of the stage that decided the run.
      evidence: isCause(run, stage, files.evidence) ? [] : stage.failure.evidence.map(plainText),
    },
    notes: stage.notes.map(plainText),
    findings: stage.findings.map(({ severity, rule, message, where }) => ({
      mark: FINDING_MARKS[severity],
      rule,
      message: plainText(message),
      where,
    })),
    phases: stage.phases.map((phase) => ({
      name: phase.name,
      ours: phase.ours,
      elapsed: elapsed(phase, state === 'running' ? now : undefined),
    })),
    bar: phaseBar(stage.phases),
    tests: stage.tests.map(testView),
    testCount: testCount(stage.tests),
    screenshots: links.filter((it) => it.kind === 'screenshot'),
    files: links.filter((it) => it.kind !== 'screenshot'),
    log:
      log &&
      logView(log.tail, stage.stage, {
        raw: link(base, 'runs', run.id, ...log.raw.split('/')),
        page: (number) => link(base, 'runs', run.id, 'logs', stage.stage, String(number), ''),
      }),
    open: state === 'running' || state === 'failed' || state === 'unfinished',
  };
}

function isCause(run: Run, { stage, failure }: StageRecord, evidence: readonly string[]): boolean {
  return run.sentence.startsWith(`${stage}: `) && evidence.join('\n') === failure?.evidence.join('\n');
}

/** An artifact; without a link where it is not in the site. */
interface FileLink {
  kind: Artifact['kind'];
  title: string;
  href: string | undefined;
}

function artifactLinks(run: Run, stage: StageRecord, files: RunFiles, base: string): FileLink[] {
  return stage.artifacts.map(({ kind, path, title }: Artifact) => {
    const published = files.artifacts.get(path);
    return {
      kind,
      title: plainText(title),
      href: published === undefined ? undefined : link(base, 'runs', run.id, ...published.split('/')),
    };
  });
}

const TEST_MARKS: Record<TestResult['state'], Mark> = {
  passed: STAGE_MARKS.passed,
  failed: STAGE_MARKS.failed,
  skipped: STAGE_MARKS['declared-skip'],
};
const SOURCES: Record<TestResult['source'], string> = {
  generic: 'generic check',
  'cc-ci': "cc-ci's test",
  recipe: "recipe's own test",
};

function testView(test: TestResult): TestView {
  return {
    source: SOURCES[test.source],
    names: [test.suite, test.title].filter(Boolean).map(plainText),
    state: test.state,
    mark: TEST_MARKS[test.state],
    elapsed: formatDuration(test.durationMs),
    message: test.message && plainText(test.message),
  };
}

function testCount(tests: readonly TestResult[]): string {
  const by = (state: TestResult['state']) => tests.filter((test) => test.state === state).length;
  const parts = [count(tests.length, 'test')];
  if (by('failed') > 0) parts.push(`${by('failed')} failed`);
  if (by('skipped') > 0) parts.push(`${by('skipped')} skipped`);
  return parts.join(', ');
}

/** Where a stage's time went, as parts of 1,000; nothing where there is too little to see. */
function phaseBar(phases: readonly Phase[]): StageView['bar'] {
  if (phases.length < 2) return [];
  const ended = phases.map((phase) => ({ ...phase, ms: between(phase.startedAt, phase.finishedAt) ?? 0 }));
  const total = ended.reduce((sum, phase) => sum + phase.ms, 0);
  if (total < 1_000) return [];
  let x = 0;
  return ended.map(({ name, ours, ms }) => {
    const width = (ms / total) * 1_000;
    x += width;
    return { name, ours, x: Math.round(x - width), width: Math.max(2, Math.round(width) - 3) };
  });
}

/** How long a part of a run took, in words. @param now given: what has not ended is measured against it */
export function elapsed(
  part: { startedAt?: string | undefined; finishedAt?: string | undefined },
  now: number | undefined,
): string | undefined {
  const end = part.finishedAt ?? (now === undefined ? undefined : new Date(now).toISOString());
  const ms = between(part.startedAt, end);
  return ms === undefined ? undefined : formatDuration(ms);
}
