/**
 * All that is said on the forge, by audience: comments on a run, answers to commands, commit statuses. Pure functions;
 * text that is not ours stands in code (markdown.ts).
 */
export {
  notEnrolledComment,
  type Refusal,
  refusalComment,
  refusalReason,
  rejectedComment,
  type StoppedRun,
  statusComment,
  stopComment,
  type WaitingState,
  waitingComment,
} from './words/answers.js';
export { collapsedComment, mentionComment, progressComment } from './words/comment.js';
export { type CommentKind, isAbout, markerOf, type RunFacts, runPage } from './words/parts.js';
export type { Aftermath } from './words/result.js';
export { finalStatus, pendingStatus, STATUS_CONTEXT } from './words/status.js';
export { duration } from './words/terms.js';
