/**
 * Where a trigger stands. Each state but the last ones owes one thing, to the database, the engine or the forge.
 *
 * `seen` → may its author ask? Then by what is asked:
 * - `!testme`: `authorised` → is the repository enrolled, what is to be tested? → `resolved` → status set → `pending` →
 *   build started → `started` → comment posted → `tidying` → older runs' comments collapsed → `announced` → build ended, comment says
 *   so → `concluded` → status set → `settled` → who asked is told → `told` → older comments collapsed → `reported`.
 *   `halted`: stopped before its build was started. `muted`: the build goes on, but nothing can be said in the pull
 *   request any more.
 * - `!testme stop`: `stopping` → builds of the pull request marked as to be stopped, comment says which → `answered`.
 * - `!testme status`: `answering` → comment says how far the newest run is → `answered`.
 *
 * `rejecting`, `unenrolled` and `refusing` owe the pull request an answer why nothing is done.
 */
export const STATES = [
  'seen',
  'authorised',
  'rejecting',
  'unenrolled',
  'refusing',
  'resolved',
  'pending',
  'halted',
  'started',
  'tidying',
  'announced',
  'muted',
  'concluded',
  'settled',
  'told',
  'stopping',
  'answering',
  'rejected',
  'refused',
  'answered',
  'unanswerable',
  'reported',
] as const;
export type TriggerState = (typeof STATES)[number];

/** What a step found or did. */
export type TriggerEvent =
  | 'may-test'
  | 'may-stop'
  | 'may-see'
  | 'may-not-ask'
  | 'may-not-ask-again'
  | 'is-not-enrolled'
  | 'is-not-enrolled-still'
  | 'can-be-tested'
  | 'cannot-be-tested'
  | 'answered'
  | 'build-started'
  | 'stopped-before-start'
  | 'stop-passed-on'
  | 'comment-posted'
  | 'tidied'
  | 'looked'
  | 'build-ended'
  | 'status-settled'
  | 'author-told'
  | 'pull-is-gone';

type FinalState = 'rejected' | 'refused' | 'answered' | 'unanswerable' | 'reported';
export type ActiveState = Exclude<TriggerState, FinalState>;

/** Every step that exists: from where, by which event, to where. States without a line are final. */
const TABLE: Record<ActiveState, Partial<Record<TriggerEvent, TriggerState>>> = {
  seen: {
    'may-test': 'authorised',
    'may-stop': 'stopping',
    'may-see': 'answering',
    'may-not-ask': 'rejecting',
    'may-not-ask-again': 'rejected',
  },
  authorised: {
    'is-not-enrolled': 'unenrolled',
    'is-not-enrolled-still': 'refused',
    'can-be-tested': 'resolved',
    'cannot-be-tested': 'refusing',
    'pull-is-gone': 'unanswerable',
  },
  rejecting: { answered: 'rejected', 'pull-is-gone': 'rejected' },
  unenrolled: { answered: 'refused', 'pull-is-gone': 'unanswerable' },
  refusing: { answered: 'refused', 'pull-is-gone': 'unanswerable' },
  resolved: { 'status-settled': 'pending' },
  pending: { 'build-started': 'started', 'stopped-before-start': 'halted' },
  halted: { 'build-ended': 'concluded' },
  started: { 'comment-posted': 'tidying', 'stop-passed-on': 'started', 'pull-is-gone': 'muted' },
  tidying: { tidied: 'announced', 'stop-passed-on': 'tidying' },
  announced: {
    looked: 'announced',
    'stop-passed-on': 'announced',
    'build-ended': 'concluded',
    'pull-is-gone': 'muted',
  },
  muted: { looked: 'muted', 'stop-passed-on': 'muted', 'build-ended': 'concluded' },
  concluded: { 'status-settled': 'settled', 'pull-is-gone': 'unanswerable' },
  settled: { 'author-told': 'told', 'pull-is-gone': 'unanswerable' },
  told: { tidied: 'reported' },
  stopping: { answered: 'answered', 'pull-is-gone': 'unanswerable' },
  answering: { answered: 'answered', 'pull-is-gone': 'unanswerable' },
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
