import { expect } from 'chai';
import { describe, it } from 'mocha';
import { isFinal, STATES, type TriggerEvent, type TriggerState, transition } from './machine.js';

const EVENTS: TriggerEvent[] = [
  'is-member',
  'is-no-member',
  'can-be-tested',
  'cannot-be-tested',
  'answered',
  'build-started',
  'comment-posted',
  'looked',
  'build-ended',
  'status-settled',
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
      'seen --is-member--> authorised',
      'seen --is-no-member--> rejected',
      'authorised --can-be-tested--> resolved',
      'authorised --cannot-be-tested--> refusing',
      'authorised --pull-is-gone--> unanswerable',
      'refusing --answered--> refused',
      'refusing --pull-is-gone--> unanswerable',
      'resolved --build-started--> started',
      'started --comment-posted--> announced',
      'started --pull-is-gone--> muted',
      'announced --looked--> announced',
      'announced --build-ended--> concluded',
      'announced --pull-is-gone--> muted',
      'muted --looked--> muted',
      'muted --build-ended--> concluded',
      'concluded --status-settled--> reported',
      'concluded --pull-is-gone--> unanswerable',
    ]);
  });

  it('says what is wrong with a step that is not there', () => {
    expect(() => transition('reported', 'looked')).to.throw('there is no step from reported by looked');
  });

  it('ends from everywhere', () => {
    for (const state of STATES) expect(reachable(state).some(isFinal), state).to.equal(true);
  });

  it('starts a build only after its author was found to be a member', () => {
    const strangers = reachable('seen', (event) => event !== 'is-member');
    expect(strangers).to.deep.equal(['seen', 'rejected']);
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
