import { expect } from 'chai';
import markdownIt from 'markdown-it';
import { describe, it } from 'mocha';
import { cellCode, codeBlock, inlineCode, joinBlocks, plainLine } from './markdown.js';

/** What people put into commit messages, test titles and error messages when they mean no good. */
const NASTY = [
  '@alice @coop-cloud/owners',
  '#1 coop-cloud/custom-html#1 !2 b9289eaa9e8d5afafd492b572e536fcc61fd9b0b',
  '<script>alert(1)</script>',
  '</code></pre><img src=x onerror=alert(1)>',
  '<!-- cc-ci run:zzzzzzzz -->',
  '[click](http://evil.test) ![x](http://evil.test/x.png) https://evil.test <https://evil.test> www.evil.test',
  '[x]: http://evil.test',
  '`',
  '``',
  '```',
  '`````',
  '` @alice',
  '@alice `',
  '`` ` ``` ````',
  '```\n@alice\n```',
  '~~~\n@alice',
  '````text\n@alice\n````\n@alice',
  'a | b | c',
  'a \\| b',
  '\\',
  'ends with \\',
  '| --- | --- |',
  '---',
  '===',
  '# heading',
  '> quote',
  '- [ ] task',
  '1. one',
  '*bold* __bold__ ~~gone~~',
  ':tada: &amp; &#64;alice &lt;b&gt;',
  '\n\n@alice\n\n',
  '\r@alice\r\n',
  '\u2028@alice\u2029',
  '\u202egnitset',
  '\u0000\u0007\u001b[31mred\u001b[0m',
  '\ud800',
  '   ',
  '',
  '$$x$$',
  '^[note]',
  'x\ty',
];

const md = markdownIt({ html: true, linkify: true });
/** The parts of rendered Markdown that are not in code. */
const outsideCode = (markdown: string) =>
  md.render(markdown).replace(/<pre>[\s\S]*?<\/pre>|<code>[\s\S]*?<\/code>/g, '[code]');

describe('text of others in Markdown', () => {
  for (const text of NASTY) {
    const name = JSON.stringify(text);
    it(`stays in code within a line: ${name}`, () => {
      expect(outsideCode(`before ${inlineCode(text, 200)} after`)).to.equal('<p>before [code] after</p>\n');
    });
    it(`stays in its block: ${name}`, () => {
      expect(outsideCode(`before\n\n${codeBlock(text, 200)}\n\nafter`)).to.equal(
        '<p>before</p>\n[code]\n<p>after</p>\n',
      );
    });
    it(`stays in its cell: ${name}`, () => {
      const table = `| a | b |\n| --- | --- |\n| one: ${cellCode(text, 200)} | two |\n| three | four |`;
      const cells = Array.from(outsideCode(table).matchAll(/<td>(.*?)<\/td>/g), (match) => match[1]);
      expect(cells).to.deep.equal(['one: [code]', 'two', 'three', 'four']);
    });
    it(`is one line where no Markdown is read: ${name}`, () => {
      expect(plainLine(text, 200)).to.match(/^[^\p{Cc}\p{Zl}\p{Zp}\u202e]*$/u);
    });
  }

  it('stays in code whatever is put together', () => {
    for (const a of NASTY) {
      for (const b of NASTY) {
        const markdown = `x ${inlineCode(a + b, 60)} y ${inlineCode(b, 60)} z\n\n${codeBlock(`${a}\n${b}`, 60)}\n\nend`;
        expect(outsideCode(markdown), JSON.stringify(markdown)).to.equal(
          '<p>x [code] y [code] z</p>\n[code]\n<p>end</p>\n',
        );
      }
    }
  });

  it('is shown as it was', () => {
    const shown = (markdown: string) => /<code[^>]*>([\s\S]*)<\/code>/.exec(md.render(markdown))?.[1];
    expect(shown(inlineCode('expected `a` to equal `b`', 200))).to.equal('expected `a` to equal `b`');
    expect(shown(inlineCode('\u001b[31mred\u001b[39m\n  and more', 200))).to.equal('red   and more');
    expect(shown(codeBlock('\n  one\r\n\ttwo\n```\n\n', 200))).to.equal('  one\n    two\n```\n');
    expect(shown(inlineCode(' ', 200))).to.equal('(empty)');
  });

  it('is cut to its limit, never within a character', () => {
    expect(inlineCode('x'.repeat(11), 10)).to.equal(`\`${'x'.repeat(9)}…\``);
    expect(inlineCode('x'.repeat(10), 10)).to.equal(`\`${'x'.repeat(10)}\``);
    expect(plainLine('🎉'.repeat(11), 10)).to.equal(`${'🎉'.repeat(9)}…`);
    expect(plainLine('🎉'.repeat(10), 10)).to.equal('🎉'.repeat(10));
  });
});

describe('blocks of Markdown', () => {
  const blocks = ['one', 'two', 'three'];

  it('stand one after another', () => {
    expect(joinBlocks(blocks, 'cut', 'end', 100)).to.equal('one\n\ntwo\n\nthree\n\nend');
  });
  it('are left out from the end where they do not fit, and that is said', () => {
    expect(joinBlocks(blocks, 'cut', 'end', 19)).to.equal('one\n\ntwo\n\ncut\n\nend');
    expect(joinBlocks(blocks, 'cut', 'end', 16)).to.equal('one\n\ncut\n\nend');
  });
  it('count in bytes', () => {
    expect(joinBlocks(['é'.repeat(20), 'é'.repeat(20)], '…', 'end', 60)).to.equal(
      `${'é'.repeat(20)}\n\n…\n\nend`,
    );
  });
});
