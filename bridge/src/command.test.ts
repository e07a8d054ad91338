import { expect } from 'chai';
import { describe, it } from 'mocha';
import { commandOf, decide } from './command.js';

describe('commands in comments', () => {
  for (const body of ['!testme', ' !testme ', '\n\n\t!testme\r\n', '\u00a0!testme']) {
    it(`takes ${JSON.stringify(body)}`, () => {
      expect(commandOf(body)).to.equal('testme');
    });
  }

  it('takes !testme stop and !testme status, with one space', () => {
    expect(commandOf(' !testme stop\n')).to.equal('stop');
    expect(commandOf('!testme status')).to.equal('status');
  });

  const others = [
    '',
    '!testme  stop',
    '!testme\tstop',
    '!testme\nstop',
    '!testme\u00a0stop',
    '!testme Stop',
    '!testme stop!',
    '!testme stop status',
    '!testmestop',
    '!testme-stop',
    'stop',
    '!stop',
    '!testme statuses',
    '! testme status',
    '!testmexyz',
    '!TESTME',
    '!Testme',
    '! testme',
    'testme',
    '!testme!',
    '!testme please',
    'please !testme',
    '!testme\n!testme',
    '> !testme',
    '`!testme`',
    '```\n!testme\n```',
    '    !testme <!-- -->',
    '\\!testme',
    '！testme',
    '!tes\u200btme',
  ];
  for (const body of others) {
    it(`leaves ${JSON.stringify(body)} alone`, () => {
      expect(commandOf(body)).to.equal(undefined);
    });
  }

  it('is not led astray by 20,000 near misses', () => {
    const pieces = [
      '!testme',
      '!',
      'test',
      'me',
      ' ',
      '\n',
      '`',
      '>',
      'x',
      '\u200b',
      '<b>',
      '\\',
      'ME',
      ' stop',
      ' status',
      '\u0000',
    ];
    for (let seed = 1; seed <= 20_000; seed++) {
      const body = randomText(pieces, seed);
      const rule = /^\s*!testme(?: (stop|status))?\s*$/.exec(body);
      expect(commandOf(body), JSON.stringify(body)).to.equal(rule ? (rule[1] ?? 'testme') : undefined);
    }
  });
});

describe('what is decided about a comment', () => {
  const comment = { body: '!testme', created_at: 5_000, updated_at: 5_000 };
  const alice = 3;
  const bot = 2;

  it('is that it asks for a test', () => {
    expect(decide(comment, alice, bot)).to.equal('testme');
    expect(decide({ ...comment, updated_at: 6_000 }, alice, bot)).to.equal('testme');
    expect(decide({ ...comment, body: '!testme stop' }, alice, bot)).to.equal('stop');
  });
  it('is that it was edited, when it was', () => {
    expect(decide({ ...comment, updated_at: 6_001 }, alice, bot)).to.equal('edited');
  });
  it('is nothing, when it is about something else or our own', () => {
    expect(decide({ ...comment, body: 'looks good' }, alice, bot)).to.equal('no-command');
    expect(decide(comment, bot, bot)).to.equal('own-comment');
  });
});

/** Text made of a few pieces, always the same for one seed. */
function randomText(pieces: readonly string[], seed: number): string {
  let state = seed * 2_654_435_761;
  let text = '';
  for (let i = 0; i <= seed % 5; i++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    text += pieces[(state >> 8) % pieces.length] ?? '';
  }
  return text;
}
