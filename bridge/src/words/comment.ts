import type { Outcome, StageRecord } from '@cc-ci/core';
import { inlineCode, mention } from '../markdown.js';
import type { Progress } from '../progress.js';
import { compose, pageLink, type RunFacts, runPage, shortCommit, subject } from './parts.js';
import { type Aftermath, resultBlocks } from './result.js';
import { clock, durationOf, LIMIT, STATE_WORDS, VERDICT_WORDS } from './terms.js';

/** The comments on a run: the one that is edited as it goes on, and the mention at its end. */

/**
 * The comment on a run as far as it is. Its text changes when a state changes, and never because time passes.
 * @param aftermath what became of the pull request meanwhile; only said of a run that has ended
 */
export function progressComment(facts: RunFacts, progress: Progress, aftermath?: Aftermath): string {
  switch (progress.phase) {
    case 'queued':
      return compose(facts, [queuedLine(progress.position), whoAndFollow(facts)]);
    case 'running':
      return compose(facts, [
        runningLine(progress.since),
        ...checklist(progress.stages),
        whoAndFollow(facts),
      ]);
    case 'ended':
      return compose(facts, resultBlocks(facts, progress, aftermath));
  }
}

/** "queued, number 3 in the queue" */
export function queuedLine(position: number | undefined): string {
  return `· **queued**${position === undefined ? '' : `, number ${position} in the queue`}`;
}

/** "running since 12:30:05 UTC" */
export function runningLine(since: string | undefined): string {
  return `▸ **running**${since === undefined ? '' : ` since ${clock(since)}`}`;
}

function whoAndFollow(facts: RunFacts): string {
  return `${subject(facts)} · [follow the run](${runPage(facts)})`;
}

/** Not a list of check boxes: the forge would let people tick them. */
function checklist(stages: readonly StageRecord[]): string[] {
  return stages.length === 0
    ? []
    : [stages.map((stage) => `- ${stage.stage}: ${standing(stage)}`).join('\n')];
}

function standing(stage: StageRecord): string {
  if (stage.state === 'running' && stage.startedAt) {
    return `${STATE_WORDS.running} since ${clock(stage.startedAt)}`;
  }
  const took = durationOf(stage);
  const why = stage.failure?.message ?? stage.reason;
  return `${STATE_WORDS[stage.state]}${took ? ` (${took})` : ''}${why ? `: ${inlineCode(why, LIMIT.reason)}` : ''}`;
}

/**
 * The fresh comment on completion: edits notify nobody, this does. Its marker is of kind `done`.
 */
export function mentionComment(facts: RunFacts, outcome: Pick<Outcome, 'verdict' | 'sentence'>): string {
  const { verdict, sentence } = outcome;
  const line = `${mention(facts.author, LIMIT.name)} ${VERDICT_WORDS[verdict]} at ${shortCommit(facts.sha)}: ${inlineCode(sentence, LIMIT.brief)}`;
  return compose(facts, [`${line}${pageLink(facts)}`], 'done');
}

/**
 * What is left of a run's comment when a newer run of the pull request has one.
 * @param outcome undefined: it has not ended yet
 */
export function collapsedComment(facts: RunFacts, outcome: Pick<Outcome, 'verdict'> | undefined): string {
  const state = outcome ? VERDICT_WORDS[outcome.verdict] : '▸ not ended yet';
  return compose(facts, [`${state} · an earlier run: ${subject(facts)}${pageLink(facts)}`]);
}
