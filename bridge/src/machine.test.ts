import { expect } from 'chai';
import { describe, it } from 'mocha';
import { isFinal, STATES, type TriggerEvent, type TriggerState, transition } from './machine.js';

const EVENTS: TriggerEvent[] = [
  'may-test',
  'may-stop',
  'may-see',
  'may-not-ask',
  'may-not-ask-again',
  'is-not-enrolled',
  'is-not-enrolled-still',
  'can-be-tested',
  'cannot-be-tested',
  'answered',
  'build-started',
  'stopped-before-start',
  'stop-passed-on',
  'comment-posted',
  'tidied',
  'looked',
  'build-ended',
  'status-settled',
  'author-told',
  'pull-is-gone',
];

/** Every step there is, from the whole table tried out. */
function allSteps(): string[] {
  return STATES.flatMap((state) =>
    EVENTS.flatMap((event) => {
      try {
        return [`${state} --${event}--> ${transition(state, event)}`];
      } catch {
        return [];
      }
    }),
  );
}

describe('the state machine', () => {
  it('has these steps and no other', () => {
    expect(allSteps()).to.deep.equal([
      'seen --may-test--> authorised',
      'seen --may-stop--> stopping',
      'seen --may-see--> answering',
      'seen --may-not-ask--> rejecting',
      'seen --may-not-ask-again--> rejected',
      'authorised --is-not-enrolled--> unenrolled',
      'authorised --is-not-enrolled-still--> refused',
      'authorised --can-be-tested--> resolved',
      'authorised --cannot-be-tested--> refusing',
      'authorised --pull-is-gone--> unanswerable',
      'rejecting --answered--> rejected',
      'rejecting --pull-is-gone--> rejected',
      'unenrolled --answered--> refused',
      'unenrolled --pull-is-gone--> unanswerable',
      'refusing --answered--> refused',
      'refusing --pull-is-gone--> unanswerable',
      'resolved --status-settled--> pending',
      'pending --build-started--> started',
      'pending --stopped-before-start--> halted',
      'halted --build-ended--> concluded',
      'started --stop-passed-on--> started',
      'started --comment-posted--> tidying',
      'started --pull-is-gone--> muted',
      'tidying --stop-passed-on--> tidying',
      'tidying --tidied--> announced',
      'announced --stop-passed-on--> announced',
      'announced --looked--> announced',
      'announced --build-ended--> concluded',
      'announced --pull-is-gone--> muted',
      'muted --stop-passed-on--> muted',
      'muted --looked--> muted',
      'muted --build-ended--> concluded',
      'concluded --status-settled--> settled',
      'concluded --pull-is-gone--> unanswerable',
      'settled --author-told--> told',
      'settled --pull-is-gone--> unanswerable',
      'told --tidied--> reported',
      'stopping --answered--> answered',
      'stopping --pull-is-gone--> unanswerable',
      'answering --answered--> answered',
      'answering --pull-is-gone--> unanswerable',
    ]);
  });

  it('says what is wrong with a step that is not there', () => {
    expect(() => transition('reported', 'looked')).to.throw('there is no step from reported by looked');
  });

  it('ends from everywhere', () => {
    for (const state of STATES) expect(reachable(state).some(isFinal), state).to.equal(true);
  });

  it('does nothing for somebody who was not found to be allowed to ask', () => {
    const strangers = reachable('seen', (event) => !event.startsWith('may-') || event.startsWith('may-not'));
    expect(strangers).to.deep.equal(['seen', 'rejecting', 'rejected']);
  });

  it('starts a build only for !testme', () => {
    const others = reachable('seen', (event) => event !== 'may-test');
    expect(others).to.not.include('started').and.not.include('resolved');
  });
});

function reachable(
  from: TriggerState,
  allowed: (event: TriggerEvent) => boolean = () => true,
): TriggerState[] {
  const found = [from];
  for (const state of found) {
    for (const event of EVENTS.filter(allowed)) {
      try {
        const next = transition(state, event);
        if (!found.includes(next)) found.push(next);
      } catch {
        // No such step.
      }
    }
  }
  return found;
}
