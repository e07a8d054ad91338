import { expect } from 'chai';
import { describe, it } from 'mocha';
import { plainText, styleLine } from './ansi.js';

describe('terminal output', () => {
  it('keeps colours and weight as classes', () => {
    expect(styleLine('a \u001b[1;31mFAIL\u001b[0m \u001b[92mok\u001b[39m.')).to.deep.equal([
      { text: 'a ', style: '' },
      { text: 'FAIL', style: 'ansi-bold ansi-red' },
      { text: ' ', style: '' },
      { text: 'ok', style: 'ansi-green' },
      { text: '.', style: '' },
    ]);
  });

  it('passes over colours by number, cursor movements, links and titles', () => {
    const line =
      '\u001b[38;5;196;1mx\u001b[0m\u001b[2K\u001b[1G\u001b]8;;http://a\u0007link\u001b]8;;\u001b\\\u001b(B\u001b7y';
    expect(styleLine(line)).to.deep.equal([
      { text: 'x', style: 'ansi-bold' },
      { text: 'linky', style: '' },
    ]);
  });

  it('shows of an overwritten line what stood there last', () => {
    expect(styleLine('10 %\r50 %\r100 %\r')).to.deep.equal([{ text: '100 %', style: '' }]);
  });

  it('drops what would be invisible or reorder the text', () => {
    expect(plainText('a\u0000b\u0007c\u202Etxt.exe\u200F\td\ne\u001b[31m!\u001b')).to.equal(
      'abctxt.exe\td\ne!',
    );
    expect(plainText('one\r\ntwo')).to.equal('one\ntwo');
  });

  it('leaves no escape character behind, whatever is cut off where', () => {
    const whole = 'x\u001b[1;31my\u001b]0;title\u0007z\u001b(B';
    for (let end = 0; end <= whole.length; end++)
      expect(plainText(whole.slice(0, end))).to.match(/^[xyz[0-9;]*$/);
  });
});
