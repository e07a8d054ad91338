/**
 * Where a trigger stands.
 *
 * `seen` → may its author ask? → `authorised` → what is to be tested? → `resolved` → build started → `started` →
 * comment posted → `announced` → build ended, comment says so → `concluded` → status set → `reported`.
 * `refusing` owes the pull request an answer why nothing is tested. `muted`: the build goes on, but nothing can be
 * said in the pull request any more.
 */
export const STATES = [
  'seen',
  'authorised',
  'refusing',
  'resolved',
  'started',
  'announced',
  'muted',
  'concluded',
  'rejected',
  'refused',
  'unanswerable',
  'reported',
] as const;
export type TriggerState = (typeof STATES)[number];

/** What a step found or did. */
export type TriggerEvent =
  | 'is-member'
  | 'is-no-member'
  | 'can-be-tested'
  | 'cannot-be-tested'
  | 'answered'
  | 'build-started'
  | 'comment-posted'
  | 'looked'
  | 'build-ended'
  | 'status-settled'
  | 'pull-is-gone';

type FinalState = 'rejected' | 'refused' | 'unanswerable' | 'reported';
export type ActiveState = Exclude<TriggerState, FinalState>;

/** Every step that exists: from where, by which event, to where. States without a line are final. */
const TABLE: Record<ActiveState, Partial<Record<TriggerEvent, TriggerState>>> = {
  seen: { 'is-member': 'authorised', 'is-no-member': 'rejected' },
  authorised: {
    'can-be-tested': 'resolved',
    'cannot-be-tested': 'refusing',
    'pull-is-gone': 'unanswerable',
  },
  refusing: { answered: 'refused', 'pull-is-gone': 'unanswerable' },
  resolved: { 'build-started': 'started' },
  started: { 'comment-posted': 'announced', 'pull-is-gone': 'muted' },
  announced: { looked: 'announced', 'build-ended': 'concluded', 'pull-is-gone': 'muted' },
  muted: { looked: 'muted', 'build-ended': 'concluded' },
  concluded: { 'status-settled': 'reported', 'pull-is-gone': 'unanswerable' },
};

/** Whether nothing will ever happen to a trigger in this state. */
export function isFinal(state: TriggerState): state is FinalState {
  return !(state in TABLE);
}

/**
 * The state an event leads to.
 * @throws Error when the table has no such step: a fault of ours
 */
export function transition(state: TriggerState, event: TriggerEvent): TriggerState {
  const next = isFinal(state) ? undefined : TABLE[state][event];
  if (!next) throw new Error(`there is no step from ${state} by ${event}`);
  return next;
}
