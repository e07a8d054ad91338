import { inlineCode } from '../markdown.js';
import type { Progress } from '../progress.js';
import { queuedLine, runningLine } from './comment.js';
import { markerOf, runPage } from './parts.js';
import { LIMIT, VERDICT_WORDS } from './terms.js';

/** What is said to a command that starts no build. */

/** Why a `!testme` of somebody who may ask leads to no build. */
export type Refusal =
  | { why: 'merged' | 'closed' | 'fork-gone' | 'no-commit' }
  | { why: 'no-recipe-name'; name: string; rule: string }
  | { why: 'not-a-request'; problems: readonly string[] };

/** A run that was told to end, and whether the dashboard has a page of it: not before its build was started. */
export interface StoppedRun {
  run: string;
  hasPage: boolean;
}

/** Stopped runs that are named. */
const NAMED_RUNS = 20;

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
      return `${inlineCode(refusal.name, LIMIT.name)} cannot be the name of a recipe: ${refusal.rule}. Rename the repository and comment \`!testme\` again.`;
    case 'not-a-request':
      return `the forge described this pull request in a way cc-ci does not take: ${inlineCode(refusal.problems.join('; '), LIMIT.sentence)}. Please show this to whoever runs cc-ci.`;
  }
}

/** The answer to a `!testme` that leads to no build. It is the comment on its run: the marker has no kind. */
export function refusalComment(run: string, reason: string): string {
  return `✗ **not tested**: ${reason}\n\n${markerOf(run)}`;
}

/** Where a command stands that nobody has been told of. */
export type WaitingState = 'seen' | 'authorised' | 'resolved' | 'pending' | 'started' | 'answering';

const WAITS_FOR: Record<WaitingState, string> = {
  seen: 'the forge does not say who may ask',
  authorised: 'it cannot be found out what is to be tested',
  resolved: 'the forge does not take the commit status',
  pending: 'the build cannot be started',
  started: 'it cannot be found out how far the build is',
  answering: 'it cannot be found out how far the build is',
};

/**
 * What is said of a command that cannot be worked on for long; the answer to it replaces this. Its marker has no kind.
 * What exactly is wrong may name things of the host, and is in the log.
 */
export function waitingComment(run: string, state: WaitingState): string {
  return `· **waiting**: ${WAITS_FOR[state]}. cc-ci tries again until it works: nothing has to be asked again. Whoever runs it finds the reason in its log, under \`${run}\`.\n\n${markerOf(run)}`;
}

/** The answer to somebody who may not give commands. Its marker is of kind `answer`, as of all below. */
export function rejectedComment({ run, org, author }: { run: string; org: string; author: string }): string {
  const who = inlineCode(author, LIMIT.name);
  const where = inlineCode(org, LIMIT.name);
  return answer(
    run,
    `✗ **not allowed**: ${who} is no member of ${where}. Ask a member to comment for you, or whoever runs cc-ci to let you in.`,
  );
}

/**
 * The answer to a `!testme` where cc-ci was not let in.
 * @param how what the operator keeps the enrolled repositories in: the setting `CC_CI_ENROLLED`, or the file that
 * `CC_CI_ENROLLED_FILE` names
 */
export function notEnrolledComment({
  run,
  repo,
  how,
}: {
  run: string;
  repo: string;
  how: 'setting' | 'file';
}): string {
  const name = inlineCode(repo.slice(repo.lastIndexOf('/') + 1), LIMIT.name);
  const admit = {
    setting: `add ${name} to the setting \`CC_CI_ENROLLED\` and restart the bridge`,
    file: `add the line ${name} to the file that \`CC_CI_ENROLLED_FILE\` names; nothing has to be restarted`,
  }[how];
  return answer(
    run,
    `✗ **not tested**: ${inlineCode(repo, LIMIT.name)} is not enrolled. To enroll it, whoever runs cc-ci has to ${admit}. Then comment \`!testme\` again.`,
  );
}

/**
 * The answer to `!testme stop`.
 * @param stopped the runs that were told to end; each ends later, when its app is gone
 */
export function stopComment({
  run,
  author,
  stopped,
  publicUrl,
}: {
  run: string;
  author: string;
  stopped: readonly StoppedRun[];
  publicUrl: string;
}): string {
  if (stopped.length === 0) {
    return answer(
      run,
      '– **nothing to stop**: no run of this pull request is queued or running. Comment `!testme` to start one.',
    );
  }
  const named = stopped
    .slice(0, NAMED_RUNS)
    .map((it) => (it.hasPage ? `[\`${it.run}\`](${runPage({ publicUrl, run: it.run })})` : `\`${it.run}\``));
  const rest = stopped.length - named.length;
  const those = `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  return answer(
    run,
    `– **stopping** ${those}, as ${inlineCode(author, LIMIT.name)} asked. Comment \`!testme\` to start a new run.`,
  );
}

/**
 * The answer to `!testme status`.
 * @param newest the pull request's newest run; undefined when it has none
 */
export function statusComment({
  run,
  recipe,
  publicUrl,
  newest,
}: {
  run: string;
  recipe: string;
  publicUrl: string;
  newest?: { run: string; hasPage?: boolean; progress: Progress } | undefined;
}): string {
  if (!newest) return answer(run, '– **no run** of this pull request yet. Comment `!testme` to start one.');
  const ended = newest.progress.phase === 'ended';
  const link = ` · [${ended ? 'run page' : 'follow the run'}](${runPage({ publicUrl, run: newest.run })})`;
  const where = newest.hasPage === false ? '' : link;
  return answer(run, `${standing(newest.progress)} · ${inlineCode(recipe, LIMIT.name)}${where}`);
}

function standing(progress: Progress): string {
  if (progress.phase === 'queued') return queuedLine(progress.position);
  if (progress.phase === 'ended') {
    const { verdict, sentence } = progress.outcome;
    return `${VERDICT_WORDS[verdict]}: ${inlineCode(sentence, LIMIT.sentence)}`;
  }
  const at = progress.stages.findIndex((stage) => stage.state === 'running');
  const stage = progress.stages[at];
  const where = stage ? `, in ${stage.stage} (stage ${at + 1} of ${progress.stages.length})` : '';
  return `${runningLine(progress.since)}${where}`;
}

function answer(run: string, line: string): string {
  return `${line}\n\n${markerOf(run, 'answer')}`;
}
