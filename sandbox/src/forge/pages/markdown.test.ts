import { expect } from 'chai';
import { describe, it } from 'mocha';
import { html } from './html.js';
import { markdown } from './markdown.js';

describe('markdown', () => {
  const cases: [what: string, text: string, shown: string][] = [
    ['a comment alone', '<!-- x -->', ''],
    ['a comment over several lines, with blank ones', '<!-- x\n\ny -->\ntext', '<p>text</p>\n'],
    ['a comment before text', '<!-- x --> text', '<p> text</p>\n'],
    ['a comment within text', 'be<!-- x -->fore', '<p>before</p>\n'],
    ['a comment that ends a paragraph', 'text\n<!-- x -->\n\nmore', '<p>text</p>\n<p>more</p>\n'],
    ['a comment in a list', '- one <!-- x -->\n- two', '<ul>\n<li>one </li>\n<li>two</li>\n</ul>\n'],
    ['two comments', '<!-- a --><!-- b -->text', '<p>text</p>\n'],
    ['code that shows a comment', '`<!-- x -->`', '<p><code>&lt;!-- x --&gt;</code></p>\n'],
    ['a block of code', '```\n<!-- x -->\n```', '<pre><code>&lt;!-- x --&gt;\n</code></pre>\n'],
    ['indented code', '    <!-- x -->', '<pre><code>&lt;!-- x --&gt;\n</code></pre>\n'],
    ['a comment that does not end', '<!-- x', '<p>&lt;!-- x</p>\n'],
    ['HTML', '<b>x</b>', '<p>&lt;b&gt;x&lt;/b&gt;</p>\n'],
    ['a link that runs', '[x](javascript:alert(1))', '<p>[x](javascript:alert(1))</p>\n'],
  ];
  for (const [what, text, shown] of cases) {
    it(`shows ${what} as it should`, () => {
      expect(markdown(text).text.replaceAll('<p></p>\n', '')).to.equal(shown);
    });
  }
});

describe('html', () => {
  it('escapes what is put in, but not what is HTML already', () => {
    const inner = html`<b>${'<&>"\''}</b>`;
    expect(html`<p title="${'"'}">${[inner, 1, undefined]}</p>`.text).to.equal(
      '<p title="&quot;"><b>&lt;&amp;&gt;&quot;&#39;</b>1</p>',
    );
  });
});
