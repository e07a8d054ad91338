import type { Blame, Level, StageRecord, StageState, TestResult, Verdict } from '@cc-ci/core';
import { cellCode, codeBlock, inlineCode, joinBlocks, plainLine } from './markdown.js';
import type { Progress } from './progress.js';

/** All that is said in pull requests and commit statuses. Text that is not ours stands in code (markdown.ts). */

/** What is known of a run before it starts. All of it is of an allowed form already, save for the author's name. */
export interface RunFacts {
  run: string;
  recipe: string;
  sha: string;
  author: string;
  /** Where people reach the dashboard, without a slash at its end. */
  publicUrl: string;
}

/** Bytes a comment may have; Gitea on MySQL keeps 65,535. */
const COMMENT_LIMIT = 60_000;
/** Characters of foreign text shown, by what it is. */
const LIMIT = { title: 200, sentence: 600, message: 4_000, evidence: 6_000, reason: 200, status: 140 };

/** The commit status's name. */
export const STATUS_CONTEXT = 'cc-ci/testme';

const VERDICT_WORDS: Record<Verdict, string> = {
  green: '✓ **green**',
  red: '✗ **red**',
  error: '! **error**',
  cancelled: '– **cancelled**',
};

const BLAME_WORDS: Record<Blame, string> = {
  recipe: 'the recipe',
  tests: 'the tests',
  ci: 'cc-ci itself, not the recipe',
  forge: 'the forge, not the recipe',
  timeout: 'the time limit',
  cancelled: 'nobody: it was cancelled',
};

const STATE_WORDS: Record<StageState, string> = {
  pending: '· pending',
  running: '▸ running',
  passed: '✓ passed',
  failed: '✗ failed',
  'declared-skip': '– skipped, as its test folder says',
  'structural-skip': '– skipped, nothing to test',
  'base-broken': '○ not possible, the published version does not come up',
  'not-run': '! not run',
};

/** The address of a run's page. */
export function runPage(facts: Pick<RunFacts, 'publicUrl' | 'run'>): string {
  return `${facts.publicUrl}/runs/${facts.run}/`;
}

/** The line nobody sees that tells our comment on a run from all others. It ends the comment. */
export function markerOf(run: string): string {
  return `<!-- cc-ci run:${run} -->`;
}

/** Whether a comment's text is the one on this run. Foreign text in it cannot pretend so: it never stands last. */
export function isAbout(run: string, body: string): boolean {
  return body.trimEnd().endsWith(markerOf(run));
}

/** The comment on a run as far as it is. */
export function progressComment(facts: RunFacts, progress: Progress): string {
  if (progress.phase === 'queued') return queuedComment(facts, progress.position);
  if (progress.phase === 'running') return runningComment(facts, progress.since, progress.stages);
  return finalComment(facts, progress);
}

function queuedComment(facts: RunFacts, position: number | undefined): string {
  const place = position === undefined ? '' : `, number ${position} in the queue`;
  return comment(facts.run, [`· **queued**${place}`, subject(facts, 'follow the run')], facts);
}

function runningComment(facts: RunFacts, since: string | undefined, stages: readonly StageRecord[]): string {
  const start = since === undefined ? '' : ` since ${clock(since)}`;
  const list = stages.map(
    (stage) => `- ${stage.stage}: ${STATE_WORDS[stage.state]}${inBrackets(durationOf(stage))}`,
  );
  const blocks = [`▸ **running**${start}`, ...(list.length > 0 ? [list.join('\n')] : [])];
  return comment(facts.run, [...blocks, subject(facts, 'follow the run')], facts);
}

function finalComment(
  facts: RunFacts,
  { outcome, stages, level }: Extract<Progress, { phase: 'ended' }>,
): string {
  const blocks = [
    `${VERDICT_WORDS[outcome.verdict]}: ${inlineCode(outcome.sentence, LIMIT.sentence)}`,
    subject(facts, 'run page with logs and screenshots'),
  ];
  if (stages.length > 0) blocks.push(stageTable(stages));
  if (level) blocks.push(levelLine(level));
  const failed = firstFailedTest(stages);
  if (failed) {
    const { stage, test } = failed;
    const title = inlineCode(test.suite ? `${test.suite} › ${test.title}` : test.title, LIMIT.title);
    blocks.push(`First failing test, in ${stage}: ${title}`);
    if (test.message) blocks.push(codeBlock(test.message, LIMIT.message));
  }
  if (outcome.blame) blocks.push(`Blame: ${BLAME_WORDS[outcome.blame]}.`);
  if (outcome.evidence.length > 0) blocks.push(codeBlock(outcome.evidence.join('\n'), LIMIT.evidence));
  const unfinished = outcome.verdict === 'error' || outcome.verdict === 'cancelled';
  if (unfinished && !outcome.sentence.includes('!testme')) blocks.push('Comment `!testme` to run it again.');
  return comment(facts.run, blocks, facts);
}

function stageTable(stages: readonly StageRecord[]): string {
  const rows = stages.map((stage) => {
    const why = stage.reason ?? stage.failure?.message;
    const reason = why ? `: ${cellCode(why, LIMIT.reason)}` : '';
    return `| ${stage.stage} | ${STATE_WORDS[stage.state]}${reason} | ${durationOf(stage) ?? ''} |`;
  });
  return ['| stage | result | duration |', '| --- | --- | --- |', ...rows].join('\n');
}

function levelLine({ value, missing }: Level): string {
  const why = missing ? `; not higher, because ${inlineCode(missing, LIMIT.reason)}` : '';
  return `Level **${value}** of 8${why}`;
}

function firstFailedTest(stages: readonly StageRecord[]): { stage: string; test: TestResult } | undefined {
  for (const stage of stages) {
    const test = stage.tests.find((candidate) => candidate.state === 'failed');
    if (test) return { stage: stage.stage, test };
  }
  return undefined;
}

function subject(facts: RunFacts, link: string): string {
  return `\`${facts.recipe}\` at \`${facts.sha.slice(0, 12)}\`, asked for by ${inlineCode(facts.author, LIMIT.title)} · [${link}](${runPage(facts)})`;
}

function comment(run: string, blocks: readonly string[], facts: RunFacts): string {
  const notice = `… this comment was cut; [everything is on the run page](${runPage(facts)})`;
  return joinBlocks(blocks, notice, markerOf(run), COMMENT_LIMIT);
}

/** Why a `!testme` of somebody who may ask leads to no build. */
export type Refusal =
  | { why: 'merged' | 'closed' | 'fork-gone' | 'no-commit' }
  | { why: 'no-recipe-name'; name: string; rule: string }
  | { why: 'not-a-request'; problems: readonly string[] };

/** One sentence on what happened, and one on what to do. */
export function refusalReason(refusal: Refusal): string {
  switch (refusal.why) {
    case 'merged':
      return 'this pull request is merged. Open a new one and comment `!testme` there.';
    case 'closed':
      return 'this pull request is closed. Reopen it and comment `!testme` again.';
    case 'fork-gone':
      return 'the repository this pull request comes from is gone, or hidden from the bot. Open a pull request from a repository that exists and comment `!testme` there.';
    case 'no-commit':
      return 'the branch this pull request comes from has no commit any more. Push it again and comment `!testme`.';
    case 'no-recipe-name':
      return `${inlineCode(refusal.name, LIMIT.title)} cannot be the name of a recipe: ${refusal.rule}. Rename the repository and comment \`!testme\` again.`;
    case 'not-a-request':
      return `the forge described this pull request in a way cc-ci does not take: ${inlineCode(refusal.problems.join('; '), LIMIT.sentence)}. Please show this to whoever runs cc-ci.`;
  }
}

/** The answer to a `!testme` that leads to no build. */
export function refusalComment(run: string, reason: string): string {
  return `✗ **not tested**: ${reason}\n\n${markerOf(run)}`;
}

/** The commit status of a run that has been asked for. */
export function pendingStatus(): { state: 'pending'; description: string } {
  return { state: 'pending', description: 'asked for with !testme' };
}

/** The commit status of a run that has ended. Gitea knows no cancelled, so that is an error. */
export function finalStatus(
  verdict: Verdict,
  sentence: string,
): { state: 'success' | 'failure' | 'error'; description: string } {
  const state = verdict === 'green' ? 'success' : verdict === 'red' ? 'failure' : 'error';
  return { state, description: plainLine(`${verdict}: ${sentence}`, LIMIT.status) };
}

function durationOf(stage: StageRecord): string | undefined {
  if (!stage.startedAt || !stage.finishedAt) return undefined;
  return duration(Date.parse(stage.finishedAt) - Date.parse(stage.startedAt));
}

/** A duration for people: `0.4 s`, `32 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function inBrackets(text: string | undefined): string {
  return text === undefined ? '' : ` (${text})`;
}

function clock(instant: string): string {
  return `${new Date(instant).toISOString().slice(11, 19)} UTC`;
}
