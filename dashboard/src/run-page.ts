import { type Plan, type RunRecord, reproduceCommand, type StageName } from '@cc-ci/core/reading';
import { plainText } from './ansi.js';
import { hasPage, link } from './links.js';
import type { LogTail } from './log-tail.js';
import { logView } from './log-view.js';
import { isActive, type Run } from './model.js';
import { renderPage } from './render.js';
import type { PublishedLog } from './run-logs.js';
import { commitLink, pullLink, recipeLink, whoAsked } from './run-row.js';
import { elapsed, stageView } from './stage-view.js';
import { BLAME_WORDS, between, formatDuration, formatInstant, STATUS_MARKS } from './words.js';

/** Seconds between two looks of an open page at a run that has not ended. */
const REFRESH_S = 2;

/** What a run's page shows besides what lists do. */
export interface RunFiles {
  /** undefined when there is none that can be read. */
  record: RunRecord | undefined;
  /** Lines that show why the run came to what it came to. */
  evidence: readonly string[];
  /** Ends of the stages' logs, of those that have one. */
  logs: ReadonlyMap<StageName, Pick<PublishedLog, 'tail' | 'raw'>>;
  /** Artifacts that are in the site, by their path in the run's folder, with their path below the run's page. */
  artifacts: ReadonlyMap<string, string>;
  /** Files of its page's folder that people may want to keep. */
  downloads: readonly string[];
  /** The engine's log, where the record alone does not tell the story. */
  engineLog: LogTail | undefined;
}

/** The page `/runs/<id>/`. @param now milliseconds since 1970; what is running is measured against it */
export function runPage(run: Run, files: RunFiles, base: string, now: number): string {
  const mark = STATUS_MARKS[run.status];
  const recipe = run.recipe ?? 'unknown recipe';
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

function downloadsOf(run: Run, { downloads }: RunFiles, base: string): { text: string; href: string }[] {
  if (!hasPage(run.id)) return [];
  return downloads.map((name) => ({ text: name, href: link(base, 'runs', run.id, name) }));
}
