import { say } from '../comments.js';
import type { BridgeContext } from '../context.js';
import type { Progress } from '../progress.js';
import { markStopped, newestRun, type Trigger } from '../triggers.js';
import { statusComment, stopComment } from '../words.js';
import { afterSaying, isUnbuilt, look, recipeOf, type StepResult, stopReasonOf } from './step.js';

/** The steps of commands that start nothing. */

/** Marks the pull request's runs as to be stopped, and says which; the runs' own steps pass it on to the engine. */
export async function stopRuns(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const { store, publicUrl } = context;
  const { run, author } = trigger;
  const stopped = markStopped(store, trigger, stopReasonOf(author), Date.now());
  const said = await say(context, trigger, stopComment({ run, author, stopped, publicUrl }), 'answer');
  return afterSaying(said, 'answered');
}

/** Says how far the pull request's newest run is. */
export async function tellStatus(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const { store, publicUrl } = context;
  const found = newestRun(store, trigger);
  const newest = found && {
    run: found.run,
    hasPage: !isUnbuilt(found),
    progress: await standingOf(context, found),
  };
  const body = statusComment({ run: trigger.run, recipe: recipeOf(trigger), publicUrl, newest });
  return afterSaying(await say(context, trigger, body, 'answer'), 'answered');
}

async function standingOf(context: BridgeContext, run: Trigger): Promise<Progress> {
  const { verdict, sentence } = run;
  if (verdict === null && ['authorised', 'resolved', 'pending'].includes(run.state)) {
    return { phase: 'queued', position: undefined };
  }
  const progress = await look(context, run);
  if (verdict === null || (progress.phase === 'ended' && progress.outcome.verdict === verdict))
    return progress;
  // What its comment said counts: builds are forgotten, and one that was stopped early never was.
  return { phase: 'ended', outcome: { verdict, sentence: sentence ?? '', evidence: [] }, stages: [] };
}
