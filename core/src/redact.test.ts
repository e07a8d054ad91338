import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createRedactor } from './redact.js';

const SECRET = 'pa$$/w0rd "x"+';

describe('redaction', () => {
  const redactor = createRedactor([SECRET, 'short', 'line one\nline two', 'second-secret']);

  it('hides secrets as they are, in base64, in URLs and in JSON', () => {
    const forms = [
      SECRET,
      Buffer.from(SECRET).toString('base64'),
      encodeURIComponent(SECRET),
      JSON.stringify(SECRET).slice(1, -1),
    ];
    for (const form of forms)
      expect(redactor.text(`before ${form} after`)).to.match(/^before \[redacted\]=* after$/);
  });

  it('hides each line of a secret with several', () => {
    expect(redactor.text('a line two b')).to.equal('a [redacted] b');
  });

  it('leaves very short values and everything else alone', () => {
    expect(redactor.text('a short text')).to.equal('a short text');
    expect(createRedactor([]).text('x')).to.equal('x');
  });

  it('finds secrets split across chunks at every place', () => {
    const text = `start ${SECRET} middle second-secret second-secre end`;
    for (let at = 0; at <= text.length; at++) {
      for (const width of [1, 3, 50]) {
        const stream = redactor.stream();
        let out = stream.write(text.slice(0, at));
        for (let from = at; from < text.length; from += width)
          out += stream.write(text.slice(from, from + width));
        out += stream.end();
        expect(out).to.equal('start [redacted] middle [redacted] second-secre end');
      }
    }
  });

  it('passes on at once what cannot be the beginning of a secret', () => {
    const stream = redactor.stream();
    expect(stream.write('nothing here\n')).to.equal('nothing here\n');
    expect(stream.write('abc second-')).to.equal('abc ');
    expect(stream.write('best')).to.equal('second-best');
  });
});
