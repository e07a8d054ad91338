import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createRedactor, REDACTED } from './redact.js';
import { type Pattern, patternsOf } from './redact-forms.js';

const SECRET = 'pa$$/w0rd "x"+';
const AWKWARD = `<a&b>'"\\/ é€😀+=%~`;
const MULTI_LINE = '-----BEGIN KEY-----\nline+one/\r\nline two==\n-----END KEY-----\n';

const json = (text: string) => JSON.stringify(text).slice(1, -1);
const html = (text: string) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
const base64 = (text: string) => Buffer.from(text).toString('base64');
/** What Go, .NET and Python write where JSON does not ask for it. */
const jsonWithUnicode = (text: string) =>
  json(text).replace(/[<>&'+]|[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
const form = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);
const lowerHex = (text: string) => text.replace(/%../g, (encoded) => encoded.toLowerCase());

/** Ways a secret comes to be written, by name. */
const ENCODERS: Record<string, (secret: string) => string> = {
  'as it is': (secret) => secret,
  JSON: json,
  'JSON with unicode escapes': jsonWithUnicode,
  'JSON with upper-case unicode escapes': (secret) =>
    jsonWithUnicode(secret).replace(/u([0-9a-f]{4})/g, (_, hex: string) => `u${hex.toUpperCase()}`),
  'JSON as PHP writes it': (secret) => json(secret).replaceAll('/', '\\/'),
  'JSON in JSON': (secret) => json(json(secret)),
  'JSON in JSON in JSON': (secret) => json(json(json(secret))),
  'unicode escapes in JSON': (secret) => json(jsonWithUnicode(secret)),
  'a part of a URL': encodeURIComponent,
  'a part of a URL, lower-case': (secret) => lowerHex(encodeURIComponent(secret)),
  'a form': form,
  'a form, lower-case': (secret) => lowerHex(form(secret)),
  'a URL in a URL': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'JSON in a URL': (secret) => encodeURIComponent(json(secret)),
  'HTML with numbers': html,
  'HTML with hexadecimal numbers': (secret) =>
    secret.replace(/[&<>"'+/=]/g, (char) => `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`),
  'HTML with names': (secret) =>
    secret
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#x27;'),
  'HTML as PHP writes it': (secret) => secret.replaceAll("'", '&#039;').replaceAll('"', '&quot;'),
  'UTF-8 taken for Latin-1': (secret) => Buffer.from(secret).toString('latin1'),
  'UTF-8 taken for what Windows wrote': (secret) =>
    new TextDecoder('windows-1252').decode(Buffer.from(secret)),
  'JSON in HTML': (secret) => json(secret).replaceAll('&', '&amp;').replaceAll('"', '&quot;'),
  'HTML in JSON': (secret) => json(html(secret)),
};

/** Ways that leave a few characters of base64 beside the secret's own. */
const BASE64: Record<string, (secret: string) => string> = {
  'base64 alone': base64,
  'base64 of a line': (secret) => base64(`${secret}\n`),
  'base64 after one byte': (secret) => base64(`:${secret}`),
  'base64 after two bytes': (secret) => base64(`a:${secret}`),
  'base64 after three bytes, and more behind': (secret) => base64(`ab:${secret}:admin`),
  'base64 between others': (secret) => base64(`user:${secret}@host`),
  base64url: (secret) => Buffer.from(`x${secret}y`).toString('base64url'),
  'base64 in a URL': (secret) => encodeURIComponent(base64(secret)),
  'base64 in JSON as PHP writes it': (secret) => base64(secret).replaceAll('/', '\\/'),
  'base64 of JSON': (secret) => base64(JSON.stringify({ password: secret })),
  'base64 of a form': (secret) => base64(`password=${form(secret)}`),
};

describe('redaction', () => {
  const redactor = createRedactor([SECRET, 'short', 'line one\nline two', 'second-secret']);

  for (const [name, encode] of Object.entries(ENCODERS)) {
    it(`hides a secret in ${name}`, () => {
      for (const secret of [SECRET, AWKWARD, 'plain-secret']) {
        const hidden = createRedactor([secret]).text(`before ${encode(secret)} after`);
        expect(hidden).to.equal(`before ${REDACTED} after`);
      }
    });
  }

  for (const [name, encode] of Object.entries(BASE64)) {
    it(`hides a secret in ${name}`, () => {
      // Longer and longer, so that its end comes to lie everywhere in a group of three bytes.
      for (const secret of [SECRET, `${SECRET}1`, `${SECRET}12`, AWKWARD, 'abc123']) {
        const hidden = createRedactor([secret]).text(`"${encode(secret)}"`);
        expect(hidden).to.include(REDACTED);
        const rest = hidden.replace(REDACTED, '').replace(/%3D/g, '').replace(/["=]/g, '');
        // Of the characters beside it at most one on each side has to do with the secret.
        const beside = encode('').replace(/%3D/g, '').replace(/["=]/g, '');
        expect(rest.length - beside.length).to.be.lessThan(3);
      }
    });
  }

  it('hides nothing but the secret in a basic authorization', () => {
    const header = `Authorization: Basic ${base64('admin:second-secret')}`;
    expect(redactor.text(header)).to.match(/^Authorization: Basic YWRtaW46\[redacted\]={0,2}$/);
  });

  it('hides a secret of several lines, whole and each line', () => {
    const several = createRedactor([MULTI_LINE]);
    for (const text of [MULTI_LINE.trim(), MULTI_LINE.trim().replace(/\r?\n/g, '\r\n')]) {
      expect(several.text(`a ${text} b`)).to.equal('a [redacted] b');
      expect(several.text(`a ${json(text)} b`)).to.equal('a [redacted] b');
      expect(several.text(`a ${encodeURIComponent(text)} b`)).to.equal('a [redacted] b');
    }
    expect(several.text('a line+one/ b')).to.equal('a [redacted] b');
    expect(several.text(base64('line two=='))).to.match(/^\[redacted\]=*$/);
    expect(redactor.text('a line two b')).to.equal('a [redacted] b');
  });

  it('hides the longest of secrets that begin alike', () => {
    const alike = createRedactor(['secret', 'secret-and-more']);
    expect(alike.text('secret secret-and-more secret-and-mor')).to.equal(
      '[redacted] [redacted] [redacted]-and-mor',
    );
  });

  it('leaves very short values and everything else alone', () => {
    expect(redactor.text('a short text')).to.equal('a short text');
    expect(redactor.text(base64('short'))).to.equal(base64('short'));
    expect(redactor.text('')).to.equal('');
    expect(createRedactor([]).text('x')).to.equal('x');
  });

  it('takes half a surrogate pair for a character like others', () => {
    expect(createRedactor(['half-\ud83d-pair']).text('a half-\ud83d-pair b')).to.equal('a [redacted] b');
  });

  it('finds secrets split across chunks at every place', () => {
    const text = `start ${SECRET} middle ${base64(SECRET)} second-secret second-secre end`;
    const whole = redactor.text(text);
    expect(whole).to.match(/^start \[redacted\] middle \[redacted\]=* \[redacted\] second-secre end$/);
    for (let at = 0; at <= text.length; at++) {
      for (const width of [1, 3, 50]) {
        const stream = redactor.stream();
        let out = stream.write(text.slice(0, at));
        for (let from = at; from < text.length; from += width)
          out += stream.write(text.slice(from, from + width));
        out += stream.end();
        expect(out).to.equal(whole);
      }
    }
  });

  it('passes on at once what cannot be the beginning of a secret', () => {
    const stream = redactor.stream();
    expect(stream.write('nothing here\n')).to.equal('nothing here\n');
    expect(stream.write('abc second-')).to.equal('abc ');
    expect(stream.write('best')).to.equal('second-best');
  });

  it('never holds back more than the longest form of a secret', () => {
    const secret = `${'a'.repeat(30)}b`;
    const stream = createRedactor([secret]).stream();
    let given = 0;
    let passed = 0;
    for (let round = 0; round < 1000; round++) {
      given += 7;
      passed += stream.write('aaaaaaa').length;
      expect(given - passed).to.be.lessThan(secret.length);
    }
    expect(passed + stream.end().length).to.equal(given);
  });
});

describe('redaction, against a simple one', () => {
  /** Numbers that are the same in every run. */
  function createRandom(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  }

  /** Every end of every pattern at every place, by trying. */
  function naive(patterns: readonly Pattern[], text: string): string {
    const ends = (at: number, [part, ...others]: Pattern): number[] =>
      part ? part.flatMap((it) => (text.startsWith(it, at) ? ends(at + it.length, others) : [])) : [at];
    let out = '';
    for (let at = 0; at < text.length; ) {
      const end = Math.max(-1, ...patterns.flatMap((pattern) => ends(at, pattern)));
      out += end < 0 ? text.charAt(at) : REDACTED;
      at = end < 0 ? at + 1 : end;
    }
    return out;
  }

  const ALPHABETS = ['ab', 'ab"\\', 'abcdefgh0123456789', 'a&%+ /<é\n', 'aA=\'"\\u0026;'];

  for (const [index, alphabet] of ALPHABETS.entries()) {
    it(`gives the same for random texts of ${JSON.stringify(alphabet)}, whole and in pieces`, () => {
      const random = createRandom(index + 1);
      const chars = [...alphabet];
      const randomText = (length: number) =>
        Array.from({ length }, () => chars[random(chars.length)]).join('');
      const encoders = [...Object.values(ENCODERS), ...Object.values(BASE64)];
      let hidden = 0;
      for (let round = 0; round < 60; round++) {
        const secrets = Array.from({ length: 1 + random(4) }, () => randomText(6 + random(20)));
        const redactor = createRedactor(secrets);
        const pieces = Array.from({ length: 12 }, () => {
          const secret = secrets[random(secrets.length)] ?? '';
          const encoded = encoders[random(encoders.length)]?.(secret) ?? '';
          // Sometimes only its beginning.
          return (
            randomText(random(12)) + (random(3) === 0 ? encoded.slice(0, random(encoded.length)) : encoded)
          );
        });
        const text = pieces.join('');

        const whole = redactor.text(text);
        expect(whole).to.equal(naive(patternsOf(secrets), text));
        hidden += whole.split(REDACTED).length - 1;

        const stream = redactor.stream();
        let streamed = '';
        for (let from = 0; from < text.length; ) {
          const width = 1 + random(random(2) === 0 ? 3 : 40);
          streamed += stream.write(text.slice(from, from + width));
          from += width;
        }
        expect(streamed + stream.end()).to.equal(whole);
      }
      expect(hidden).to.be.greaterThan(300);
    });
  }
});
