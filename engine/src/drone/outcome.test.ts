import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { DroneBuild, DroneStep } from './answers.js';
import { standingOf } from './outcome.js';

const step = (name: string, status: string, exit_code = 0): Omit<DroneStep, 'number'> => ({
  name,
  status,
  exit_code,
  started: 1_000,
});

function build(status: string, steps: Omit<DroneStep, 'number'>[] = [], change: Partial<DroneBuild> = {}) {
  return {
    number: 7,
    status,
    created: 900,
    started: 1_000,
    finished: 1_600,
    stages: [
      {
        number: 1,
        name: 'x',
        status,
        started: 1_000,
        steps: steps.map((it, at) => ({ ...it, number: at + 1 })),
      },
    ],
    ...change,
  } satisfies DroneBuild;
}

describe('standingOf', () => {
  const rows: [string, DroneBuild, string, RegExp | undefined][] = [
    ['pending', build('pending'), 'queued', undefined],
    ['blocked until somebody approves', build('blocked'), 'queued', undefined],
    ['running', build('running'), 'running', undefined],
    ['success', build('success', [step('teardown', 'success')]), 'success', undefined],
    [
      'the verdict that teardown ends with, not the exit code of the stage that failed first',
      build('failure', [step('install', 'failure', 2), step('teardown', 'failure', 1)]),
      'failure',
      undefined,
    ],
    [
      'exit code 2, which is not the recipe',
      build('failure', [step('install', 'failure', 1), step('teardown', 'failure', 2)]),
      'error',
      undefined,
    ],
    [
      'a step that was killed by somebody else',
      build('failure', [step('install', 'failure', 137), step('teardown', 'skipped')]),
      'error',
      /install ended with exit code 137/,
    ],
    [
      'a clone that failed, with whatever code',
      build('failure', [step('clone', 'failure', 1), step('prepare', 'skipped')]),
      'error',
      /clone ended with exit code 1/,
    ],
    ['failure without a step', build('failure'), 'error', /no step has failed/],
    [
      'a pipeline that cannot be read',
      build('error', [], { error: 'yaml: line 3' }),
      'error',
      /yaml: line 3/,
    ],
    ['a cancel in Drone', build('killed', [step('install', 'killed', 130)]), 'cancelled', /in Drone/],
    ['declined', build('declined'), 'error', /declined/],
    ['skipped', build('skipped'), 'error', /skipped/],
    ['a word of a newer Drone', build('exploded'), 'error', /exploded/],
  ];
  for (const [name, drone, state, reason] of rows) {
    it(`knows ${name}: ${state}`, () => {
      const standing = standingOf(drone, undefined, 60);
      expect(standing.state).to.equal(state);
      if (reason) expect(standing.reason).to.match(reason);
      else expect(standing.reason).to.equal(undefined);
    });
  }

  it('says of a killed build what we wanted, and else whether it was the time limit', () => {
    const killed = build('killed', [step('install', 'killed', 130)]);
    const wish = { state: 'error', reason: 'too long' } as const;
    expect(standingOf(killed, wish, 10)).to.include(wish);
    expect(standingOf(killed, undefined, 10)).to.include({
      state: 'error',
      reason: 'Drone ended the build at its time limit of 10 min',
    });
  });

  it('keeps the result of a build that had ended before our wish reached it', () => {
    const wish = { state: 'cancelled', reason: 'stop' } as const;
    expect(standingOf(build('success', [step('x', 'success')]), wish).state).to.equal('success');
  });

  it('gives a build that never began no start, though Drone does', () => {
    expect(standingOf(build('killed'), undefined).startedAt).to.equal(undefined);
    expect(standingOf(build('success', [step('x', 'success')]), undefined)).to.include({
      startedAt: '1970-01-01T00:16:40.000Z',
      finishedAt: '1970-01-01T00:26:40.000Z',
    });
  });
});
