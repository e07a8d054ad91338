import {
  CancelledError,
  CommandFailedError,
  CommandTimeoutError,
  InputError,
  ToolMissingError,
} from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { z } from 'zod';
import { parseMachineOutput } from './abra.js';
import { DeadlineError, failureOf, lastLines, StageFailure } from './failure.js';

describe('blame of an error', () => {
  const trace = { command: 'abra app deploy x', output: 'one\n\ntwo' };
  const cases: [unknown, string, string, string[]][] = [
    [new StageFailure('recipe', 'crash loop', ['log']), 'recipe', 'crash loop', ['log']],
    [new DeadlineError('too long'), 'timeout', 'too long', []],
    [new CancelledError('stopped'), 'cancelled', 'stopped', []],
    [
      new CommandTimeoutError(trace, 3000),
      'timeout',
      'abra app deploy x did not end within 3 s and was stopped',
      ['one', 'two'],
    ],
    [
      new CommandFailedError(trace, 1, undefined),
      'ci',
      'abra app deploy x failed with exit code 1',
      ['one', 'two'],
    ],
    [
      new CommandFailedError(
        { command: 'git fetch', output: "fatal: repository '/srv/r' does not exist" },
        128,
        undefined,
      ),
      'forge',
      'git fetch failed with exit code 128: the forge cannot be reached, or does not give the repository out: check its address and that anybody may read it',
      ["fatal: repository '/srv/r' does not exist"],
    ],
    [new ToolMissingError('no abra', { hint: 'get it' }), 'ci', 'no abra (get it)', []],
    [new Error('surprise'), 'ci', 'surprise', []],
    ['text', 'ci', 'text', []],
  ];
  for (const [error, blame, message, evidence] of cases) {
    it(`${(error as object).constructor.name}: ${blame}`, () => {
      expect(failureOf(error)).to.deep.equal({ blame, message, evidence });
    });
  }

  it('keeps the last lines as evidence', () => {
    expect(lastLines('1\n2\n\n3\n', 2)).to.deep.equal(['2', '3']);
  });
});

describe('machine output of abra', () => {
  const rows = z.array(z.object({ name: z.string() }));

  it('is found behind log lines', () => {
    expect(parseMachineOutput('INFO hello [x]\n[{"name":"a"}]\n', rows)).to.deep.equal([{ name: 'a' }]);
  });

  it('is refused when there is none, when it is cut short, or of another form', () => {
    for (const text of ['', 'WARN nothing', '[{"name":', '[{"nom":"a"}]']) {
      expect(() => parseMachineOutput(text, rows), text).to.throw(InputError);
    }
  });
});
