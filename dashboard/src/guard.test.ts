import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createGuard, redactDeep } from './guard.js';

const KEY = [
  '-----BEGIN OPENSSH PRIVATE KEY-----',
  'b3BlbnNzaC1rZXktdjEAAAAA',
  'AAAAB3NzaC1yc2E',
  '-----END OPENSSH PRIVATE KEY-----',
];

describe('the guard before everything public', () => {
  const guard = createGuard([]);

  it('hides what is a secret by its form, and leaves the words around it', () => {
    const cases: [string, string][] = [
      [
        'push to https://bot:hunter22@git.example.org/x.git',
        'push to https://bot:[redacted]@git.example.org/x.git',
      ],
      ['postgres://app:s3cr3t-pw@db:5432/app', 'postgres://app:[redacted]@db:5432/app'],
      ['Authorization: Bearer abcdef1234567890', 'Authorization: Bearer [redacted]'],
      ['"authorization":"token 0123456789abcdef"', '"authorization":"token [redacted]"'],
      ['DB_PASSWORD=correct-horse', 'DB_PASSWORD=[redacted]'],
      ['key AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQ end', 'key [redacted] end'],
      [`token ghp_${'a1B2'.repeat(9)}`, 'token [redacted]'],
      ['AKIAIOSFODNN7EXAMPLE', '[redacted]'],
      [KEY.join('\n'), '[redacted]'],
    ];
    for (const [text, hidden] of cases) {
      expect(guard.text(text)).to.equal(hidden);
      expect(guard.finds(text), text).to.equal(true);
      expect(guard.finds(hidden), hidden).to.equal(false);
    }
  });

  it('looks closer at every form there is, wherever it lies in a long text', () => {
    const tail = 'x1Y2z3W4'.repeat(6);
    const forms = [
      ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'glpat-', 'xoxb-', 'sk_live_'].map(
        (start) => start + tail,
      ),
      `eyJ${tail}.eyJ${tail}.${tail}`,
      ...['PASSWORD', 'PASSWD', 'SECRET', 'TOKEN', 'API_KEY'].map((name) => `APP_${name}=${tail}`),
      `AUTHORIZATION=basic ${tail}`,
    ];
    for (const form of forms) {
      const page = `${'<p>line › of text</p>\n'.repeat(500)} ${form} `;
      expect(guard.finds(page), form).to.equal(true);
      expect(guard.text(page)).not.to.contain(tail);
    }
  });

  it('leaves ordinary text alone', () => {
    const lines = [
      'DB_PASSWORD_FILE=/run/secrets/db_password',
      'SECRET_DB_PASSWORD_VERSION=v1',
      'DB_PASSWORD=${PASSWORD}',
      'https://git.example.org/alice/x.git',
      'https://example.org:8080/path?mail=a@b.c',
      'mail to alice@example.org: see http://x/',
      'the authorization server answered',
      'image: nextcloud:31.0.1@sha256:0123456789abcdef',
      'npm WARN eyJub3QiOiJhIGp3dCJ9',
    ];
    for (const line of lines) expect(guard.text(line)).to.equal(line);
  });

  it('hides the secrets of the app in every form, in values of any shape', () => {
    const own = createGuard(['p"ss wörd/1']);
    const value = { a: [`is p"ss wörd/1`, { b: 'p%22ss%20w%C3%B6rd%2F1' }], n: 3, none: null };
    expect(redactDeep(value, own)).to.deep.equal({
      a: ['is [redacted]', { b: '[redacted]' }],
      n: 3,
      none: null,
    });
    expect(own.findsIn(Buffer.from('\u0000PNG p"ss wörd/1'))).to.equal(true);
    expect(guard.findsIn(Buffer.from('p"ss wörd/1'))).to.equal(false);
  });

  it('hides a private key in a log from its first line to its last, and nothing after it', () => {
    const filter = guard.lines();
    const lines = ['before', ...KEY, 'after'].map((line) => filter(`2026-11-21T08:00:00.000Z ${line}`));
    expect(lines[0]).to.equal('2026-11-21T08:00:00.000Z before');
    for (const line of lines.slice(1, -1)) expect(line).to.equal('2026-11-21T08:00:00.000Z [redacted]');
    expect(lines.at(-1)).to.equal('2026-11-21T08:00:00.000Z after');
  });

  it('takes no long time for what almost matches', () => {
    const hard = [
      `${'a:'.repeat(50_000)}@`,
      `://${'a'.repeat(100_000)}`,
      `-----BEGIN ${'A '.repeat(50_000)}`,
      'A_'.repeat(50_000),
    ];
    const start = performance.now();
    for (const text of hard) guard.text(text);
    expect(performance.now() - start).to.be.lessThan(2_000);
  });
});
