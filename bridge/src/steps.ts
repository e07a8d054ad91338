import type { ActiveState } from './machine.js';
import { tellAuthor, tidy } from './steps/after.js';
import { stopRuns, tellStatus } from './steps/answer.js';
import { authorise, explainEnrolment, refuse, reject, resolve } from './steps/ask.js';
import {
  announce,
  conclude,
  follow,
  followSilently,
  halt,
  sayPending,
  start,
  stoppable,
} from './steps/run.js';
import type { Step } from './steps/step.js';

/** What is done in each state. */
export const STEPS: Record<ActiveState, Step> = {
  seen: authorise,
  authorised: resolve,
  rejecting: reject,
  unenrolled: explainEnrolment,
  refusing: refuse,
  resolved: sayPending,
  pending: start,
  halted: halt,
  started: stoppable(announce),
  tidying: stoppable(tidy),
  announced: stoppable(follow),
  muted: stoppable(followSilently),
  concluded: conclude,
  settled: tellAuthor,
  told: tidy,
  stopping: stopRuns,
  answering: tellStatus,
};
