import {
  type Artifact,
  type Phase,
  type Plan,
  type RunRecord,
  reproduceCommand,
  type StageName,
  type StageRecord,
  type TestResult,
} from '@cc-ci/core';
import { plainText } from './ansi.js';
import { hasPage, link } from './links.js';
import type { LogTail } from './log-tail.js';
import { type LogView, logView } from './log-view.js';
import { isActive, type Run } from './model.js';
import { renderPage } from './render.js';
import { commitLink, pullLink, recipeLink, shownState, whoAsked } from './run-row.js';
import {
  BLAME_WORDS,
  between,
  count,
  FINDING_MARKS,
  formatDuration,
  formatInstant,
  type Mark,
  STAGE_HINTS,
  STAGE_MARKS,
  STAGE_TITLES,
  STATUS_MARKS,
} from './words.js';

/** Seconds between two looks of an open page at a run that has not ended. */
const REFRESH_S = 2;

/** What a run's page shows besides what lists do. */
export interface RunFiles {
  /** undefined when there is none that can be read. */
  record: RunRecord | undefined;
  /** Lines that show why the run came to what it came to. */
  evidence: readonly string[];
  /** Ends of the stages' logs, of those that have one. */
  logs: ReadonlyMap<StageName, LogTail>;
  /** Artifacts that are in the site, by their path in the run's folder, with their path below the run's page. */
  artifacts: ReadonlyMap<string, string>;
  /** The engine's log, where the record alone does not tell the story. */
  engineLog: LogTail | undefined;
}

/** The page `/runs/<id>/`. @param now milliseconds since 1970; what is running is measured against it */
export function runPage(run: Run, files: RunFiles, base: string, now: number): string {
  const mark = STATUS_MARKS[run.status];
  const recipe = run.request?.recipe ?? 'unknown recipe';
  const commit = commitLink(run);
  const { plan, stages = [] } = files.record ?? {};
  const title = `${recipe}${commit ? ` ${commit.text}` : ''}: ${mark.word}`;
  return renderPage(
    'run',
    { base, title, refresh: isActive(run) ? REFRESH_S : 0 },
    {
      id: run.id,
      recipe: recipeLink(run, base),
      pull: pullLink(run),
      commit,
      mark,
      sentence: plainText(run.sentence),
      blame: run.blame && BLAME_WORDS[run.blame],
      evidence: files.evidence.map(plainText),
      facts: factsOf(run, plan, now),
      active: isActive(run),
      stream:
        isActive(run) && files.record && hasPage(run.id)
          ? link(base, 'runs', run.id, 'log', 'stream')
          : undefined,
      level: run.facts?.level,
      stages: stages.map((stage) => stageView(run, stage, files, base, now)),
      engineLog: files.engineLog && logView(files.engineLog, 'engine'),
      command: run.request && reproduceCommand(run.request),
      overlays: plan?.overlays ?? [],
      tools: Object.entries(plan?.tools ?? {}),
      downloads: downloadsOf(run, files, base),
    },
  );
}

interface Fact {
  name: string;
  text: string;
  href?: string | undefined;
  iso?: string;
  mono?: boolean;
}

function factsOf(run: Run, plan: Plan | undefined, now: number): Fact[] {
  const facts: Fact[] = [];
  const commit = commitLink(run);
  const pull = pullLink(run);
  if (pull)
    facts.push({ name: 'Pull request', text: `${run.request?.repo ?? ''}${pull.text}`, href: pull.href });
  if (commit) facts.push({ name: 'Commit', ...commit, mono: true });
  facts.push({ name: 'Asked by', text: whoAsked(run) });
  facts.push({ name: run.request ? 'Asked at' : 'Changed at', text: formatInstant(run.time), iso: run.time });
  const waited = between(run.build?.createdAt, run.startedAt);
  if (waited !== undefined && waited >= 1_000) facts.push({ name: 'Waited', text: formatDuration(waited) });
  const took = elapsed(run, isActive(run) ? now : undefined);
  if (took) facts.push({ name: run.finishedAt ? 'Took' : 'Running for', text: took });
  const level = run.facts?.level;
  if (level) facts.push({ name: 'Level', text: `${level.value} of 8` });
  if (plan?.base) facts.push({ name: 'Upgraded from', text: plan.base.version, mono: true });
  if (plan?.app) facts.push({ name: 'App', text: plan.app.domain, mono: true });
  return facts;
}

interface StageView {
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
  screenshots: { title: string; href: string | undefined }[];
  files: { title: string; href: string | undefined }[];
  log: LogView | undefined;
  /** Whether the log is open, and scrolled to its end, when the page opens. */
  open: boolean;
}

interface TestView {
  source: string;
  name: string;
  state: TestResult['state'];
  mark: Mark;
  elapsed: string;
  message: string | undefined;
}

function stageView(run: Run, stage: StageRecord, files: RunFiles, base: string, now: number): StageView {
  const state = shownState(run, stage);
  const tail = files.logs.get(stage.stage);
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
      tail &&
      logView(tail, stage.stage, {
        raw: link(base, 'runs', run.id, 'logs', `${stage.stage}.log`),
        page: (number) => link(base, 'runs', run.id, 'logs', stage.stage, String(number), ''),
      }),
    open: state === 'running' || state === 'failed' || state === 'unfinished',
  };
}

function isCause(run: Run, { stage, failure }: StageRecord, evidence: readonly string[]): boolean {
  return run.sentence.startsWith(`${stage}: `) && evidence.join('\n') === failure?.evidence.join('\n');
}

function artifactLinks(run: Run, stage: StageRecord, files: RunFiles, base: string) {
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
    name: plainText([test.suite, test.title].filter(Boolean).join(' › ')),
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
  const ended = phases.map((phase) => ({ ...phase, ms: between(phase.startedAt, phase.finishedAt) ?? 0 }));
  const total = ended.reduce((sum, phase) => sum + phase.ms, 0);
  if (ended.length < 2 || total < 1_000) return [];
  let x = 0;
  return ended.map(({ name, ours, ms }) => {
    const width = (ms / total) * 1_000;
    x += width;
    return { name, ours, x: Math.round(x - width), width: Math.max(2, Math.round(width) - 3) };
  });
}

function elapsed(
  part: { startedAt?: string | undefined; finishedAt?: string | undefined },
  now: number | undefined,
): string | undefined {
  const end = part.finishedAt ?? (now === undefined ? undefined : new Date(now).toISOString());
  const ms = between(part.startedAt, end);
  return ms === undefined ? undefined : formatDuration(ms);
}

function downloadsOf(run: Run, { record }: RunFiles, base: string): { text: string; href: string }[] {
  if (!hasPage(run.id)) return [];
  const file = (name: string) => ({ text: name, href: link(base, 'runs', run.id, name) });
  return [file('report.json'), ...(record && !isActive(run) ? [file('junit.xml')] : [])];
}
