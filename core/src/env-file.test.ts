import { expect } from 'chai';
import { describe, it } from 'mocha';
import { envLine, envValues, parseEnvFile } from './env-file.js';
import { InputError } from './errors.js';

describe('env file', () => {
  it('expands earlier keys and lets the last assignment win', () => {
    const text =
      'COMPOSE_FILE="compose.yml"\nCOMPOSE_FILE="$COMPOSE_FILE:compose.db.yml"\nCOMPOSE_FILE="${COMPOSE_FILE}:compose.s3.yml"\n';
    expect(envValues(text)).to.deep.equal({ COMPOSE_FILE: 'compose.yml:compose.db.yml:compose.s3.yml' });
  });

  it('keeps the comment behind a value apart', () => {
    const entries = parseEnvFile('SECRET_KEY_VERSION=v1 # length=32 charset=hex\nX="a # b" # c\n');
    expect(entries.get('SECRET_KEY_VERSION')).to.deep.equal({
      value: 'v1',
      comment: 'length=32 charset=hex',
    });
    expect(entries.get('X')).to.deep.equal({ value: 'a # b', comment: 'c' });
  });

  it('takes single quotes, backticks and # inside words literally', () => {
    expect(envValues("A='$B'\nEXTRA_DOMAINS=', `www.x`'\nC=a#b\nD=\n")).to.deep.equal({
      A: '$B',
      EXTRA_DOMAINS: ', `www.x`',
      C: 'a#b',
      D: '',
    });
  });

  it('passes over comments, blanks and anything else', () => {
    expect(envValues('# A=1\n\n  #B=2\nnot an assignment\nC=3\r\n')).to.deep.equal({ C: '3' });
  });

  it('are written so that they are read back as they were', () => {
    for (const value of ['', 'plain', 'a b # c', '$HOME and ${X}', 'say "hi" \\o/', "it's", '`x`; rm']) {
      expect(envValues(envLine('KEY', value)), value).to.deep.equal({ KEY: value });
    }
  });

  it('refuse a value that no quoting holds', () => {
    for (const value of ['two\nlines', "it's $5"])
      expect(() => envLine('KEY', value)).to.throw(InputError, 'KEY: ');
  });
});
