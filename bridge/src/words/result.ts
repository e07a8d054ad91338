import { type Level, type Outcome, reproduceCommand, type StageRecord, type TestResult } from '@cc-ci/core';
import { cellCode, codeBlock, inlineCode } from '../markdown.js';
import type { Progress } from '../progress.js';
import { type RunFacts, runPage, shortCommit, subject } from './parts.js';
import { BLAME_WORDS, durationOf, ENDED_STATE_WORDS, LIMIT, VERDICT_WORDS } from './terms.js';

/** What became of the pull request while its run went on. `moved`: its branch is now at another commit. */
export type Aftermath = { kind: 'moved'; sha: string } | { kind: 'merged' | 'closed' | 'fork-gone' };

/** Evidence of more lines than this is folded. */
const OPEN_LINES = 12;

/** What a run came to, the most important first: what does not fit is cut from the end. */
export function resultBlocks(
  facts: RunFacts,
  { outcome, stages, level }: Extract<Progress, { phase: 'ended' }>,
  aftermath: Aftermath | undefined,
): string[] {
  const unfinished = outcome.verdict === 'error' || outcome.verdict === 'cancelled';
  const again = unfinished && !aftermath && !outcome.sentence.includes('!testme');
  return [
    `${VERDICT_WORDS[outcome.verdict]}: ${inlineCode(outcome.sentence, LIMIT.sentence)}`,
    ...(aftermath ? [aftermathLine(facts, aftermath)] : []),
    [subject(facts), ...links(facts, stages)].join(' · '),
    ...(stages.length > 0 ? [stageTable(facts, stages, outcome)] : []),
    ...messageInFull(stages),
    ...blameBlocks(outcome),
    ...(level ? [levelLine(level)] : []),
    ...(again ? ['Comment `!testme` to run it again.'] : []),
    folded('Run it yourself', codeBlock(commandOf(facts), LIMIT.evidence)),
  ];
}

function aftermathLine(facts: RunFacts, aftermath: Aftermath): string {
  switch (aftermath.kind) {
    case 'moved':
      return `The branch has moved on: it is now at ${shortCommit(aftermath.sha)}, and this is the result of ${shortCommit(facts.sha)}. Comment \`!testme\` to test what is there now.`;
    case 'merged':
      return 'The pull request was merged while this ran.';
    case 'closed':
      return 'The pull request was closed while this ran. Reopen it before you comment `!testme` again.';
    case 'fork-gone':
      return 'The repository this pull request came from is gone, or hidden from the bot, so this commit cannot be tested again here.';
  }
}

/** The run's page, the log to read first, and where the pictures are. */
function links(facts: RunFacts, stages: readonly StageRecord[]): string[] {
  if (facts.hasPage === false) return [];
  const page = runPage(facts);
  const wrong = stages.find((stage) => hasGoneWrong(stage) && stage.startedAt !== undefined);
  const pictured = stages
    .map(({ stage, artifacts }) => ({
      stage,
      count: artifacts.filter((it) => it.kind === 'screenshot').length,
    }))
    .filter(({ count }) => count > 0);
  return [
    `[run page](${page})`,
    ...(wrong ? [`[log of ${wrong.stage}](${page}logs/${wrong.stage}.log)`] : []),
    ...(pictured.length > 0
      ? [`screenshots of ${pictured.map(({ stage }) => `[${stage}](${page}#${stage})`).join(', ')}`]
      : []),
  ];
}

/** Whether a stage of an ended run is one to look at. */
function hasGoneWrong({ state }: StageRecord): boolean {
  return state === 'failed' || state === 'not-run' || state === 'running';
}

function stageTable(facts: RunFacts, stages: readonly StageRecord[], outcome: Outcome): string {
  const withTests = stages.some((stage) => firstFailed(stage));
  const head = ['stage', 'result', 'duration', ...(withTests ? ['first failing test'] : [])];
  const rows = stages.map((stage) => [
    hasGoneWrong(stage) ? `[${stage.stage}](${runPage(facts)}#${stage.stage})` : stage.stage,
    resultCell(stage, outcome),
    durationOf(stage) ?? '',
    ...(withTests ? [testCell(firstFailed(stage))] : []),
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** What a stage came to; why, unless the comment's first line has said so. */
function resultCell({ stage, state, reason, failure }: StageRecord, { sentence }: Outcome): string {
  const said = failure !== undefined && sentence.startsWith(`${stage}: `);
  const why = reason ?? (said ? undefined : failure?.message);
  return `${ENDED_STATE_WORDS[state]}${why ? `: ${cellCode(why, LIMIT.reason)}` : ''}`;
}

function testCell(test: TestResult | undefined): string {
  if (!test) return '';
  const message = test.message && firstLine(test.message);
  return `${cellCode(titleOf(test), LIMIT.test)}${message ? `: ${cellCode(message, LIMIT.cell)}` : ''}`;
}

/** The message of the run's first failing test, where the table has not the whole of it. */
function messageInFull(stages: readonly StageRecord[]): string[] {
  const stage = stages.find(firstFailed);
  const test = stage && firstFailed(stage);
  if (!test?.message) return [];
  if (test.message.length <= LIMIT.cell && firstLine(test.message) === test.message.trim()) return [];
  return [
    `First failing test, in ${stage?.stage}: ${inlineCode(titleOf(test), LIMIT.name)}`,
    codeBlock(test.message, LIMIT.message),
  ];
}

function firstFailed(stage: StageRecord): TestResult | undefined {
  return stage.tests.find((test) => test.state === 'failed');
}

function firstLine(text: string): string {
  return text.trim().replace(/[\r\n].*$/s, '');
}

function titleOf({ suite, title }: TestResult): string {
  return suite ? `${suite} › ${title}` : title;
}

/** Whose fault it is, and the lines that show it. That nobody is to blame for a cancel goes without saying. */
function blameBlocks({ blame, evidence }: Outcome): string[] {
  const whose = blame && blame !== 'cancelled' ? `Blame: ${BLAME_WORDS[blame]}.` : undefined;
  if (evidence.length === 0) return whose ? [whose] : [];
  const block = codeBlock(evidence.join('\n'), LIMIT.evidence);
  const lines = block.split('\n').length - 2;
  if (lines > OPEN_LINES) return [...(whose ? [whose] : []), folded(`What shows it: ${lines} lines`, block)];
  return [`${whose ? `${whose} ` : ''}What shows it:`, block];
}

function levelLine({ value, missing }: Level): string {
  const why = missing ? `; not higher, because ${inlineCode(missing, LIMIT.reason)}` : '';
  return `Level **${value}** of 8${why}`;
}

/** A path is left out: it is one of the host the run was on. */
function commandOf({ recipe, sha, src, origin }: RunFacts): string {
  const from = src?.startsWith('/') ? undefined : src;
  return reproduceCommand({ recipe, ref: sha, src: from, origin: from && origin });
}

/** One block that is shown when it is asked for. The empty lines make the forge read Markdown in it. */
function folded(title: string, block: string): string {
  return `<details>\n<summary>${title}</summary>\n\n${block}\n\n</details>`;
}
