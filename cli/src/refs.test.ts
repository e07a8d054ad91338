import { InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { closeNames, parseRefs, refName, resolveRef } from './refs.js';

const commit = (digit: string) => digit.repeat(40);
const SRC = 'https://git.example.org/coop-cloud/ghost.git';
const REFS = parseRefs(
  [
    'ref: refs/heads/main\tHEAD',
    `${commit('a')}\tHEAD`,
    `${commit('a')}\trefs/heads/main`,
    `${commit('b')}\trefs/heads/fix/mail`,
    `${commit('c')}\trefs/heads/both`,
    `abc${commit('0').slice(3)}\trefs/heads/one`,
    `abcd${commit('1').slice(4)}\trefs/heads/two`,
    `${commit('9')}\trefs/pull/1/head`,
    `${commit('d')}\trefs/tags/1.0.0+2.1`,
    `${commit('e')}\trefs/tags/1.0.0+2.1^{}`,
    `${commit('f')}\trefs/tags/both`,
    '',
  ].join('\n'),
);

describe('the commit a person means', () => {
  const resolved = (wish?: string) => resolveRef(REFS, wish, SRC).commit;
  const refusal = (wish: string | undefined, refs = REFS): InputError => {
    try {
      resolveRef(refs, wish, SRC);
    } catch (error) {
      if (error instanceof InputError) return error;
      throw error;
    }
    return expect.fail('it was resolved');
  };

  it('is the end of the default branch without a wish', () => {
    expect(resolveRef(REFS, undefined, SRC)).to.deep.equal({ commit: commit('a'), what: 'the end of main' });
  });

  it('is the end of a branch, or what an annotated tag is about', () => {
    expect(resolved('fix/mail')).to.equal(commit('b'));
    expect(resolved('refs/heads/fix/mail')).to.equal(commit('b'));
    expect(resolved('1.0.0+2.1')).to.equal(commit('e'));
    expect(resolved('refs/tags/1.0.0+2.1')).to.equal(commit('e'));
  });

  it('is a full commit id as it stands, known or not', () => {
    expect(resolved(commit('7'))).to.equal(commit('7'));
  });

  it('is the commit whose id begins so, when there is only one', () => {
    expect(resolved('bbbb')).to.equal(commit('b'));
    expect(resolved('abcd1')).to.match(/^abcd1/);
    expect(resolved('abc0')).to.match(/^abc0/);
    // Too short to be an id.
    expect(refusal('abc').message).to.include('no branch, tag or commit abc');
  });

  it('must be said more exactly where it could be two', () => {
    const two = refusal('both');
    expect(two.message).to.include('is a branch and a tag');
    expect(two.hint).to.include('--ref refs/heads/both').and.include('--ref refs/tags/both');
    expect(resolved('refs/heads/both')).to.equal(commit('c'));
    expect(resolved('refs/tags/both')).to.equal(commit('f'));
    const twins = parseRefs(
      `abcde${commit('0').slice(5)}\trefs/heads/x\nabcde${commit('1').slice(5)}\trefs/heads/y\n`,
    );
    expect(refusal('abcde', twins).message).to.include('the beginning of 2 commits');
  });

  it('is not guessed: names like it are listed, or what there is', () => {
    expect(refusal('mian').hint).to.include('did you mean main?');
    expect(refusal('fix/mial').hint).to.include('did you mean fix/mail?');
    expect(refusal('something-else').hint)
      .to.include('branches main, fix/mail')
      .and.include('versions 1.0.0+2.1');
    expect(refusal('0123456').hint).to.include('give the whole id');
  });

  it('cannot be the default branch where there is none', () => {
    const empty = parseRefs(`${commit('a')}\trefs/heads/trunk\n`);
    expect(refusal(undefined, empty).message).to.include('has no default branch');
    expect(refusal(undefined, empty).hint).to.include('trunk');
  });
});

describe('names of refs', () => {
  it('are taken as git writes them', () => {
    for (const name of [
      'main',
      'fix/mail',
      '1.0.0+2.1-alpine',
      'a'.repeat(40),
      'refs/tags/v1',
      'me@work',
      'issue#7',
    ])
      expect(refName.safeParse(name).success, name).to.equal(true);
  });

  it('are refused where a program could take them for something else', () => {
    const bad = [
      '',
      '-x',
      '--upload-pack=id',
      'a..b',
      'a b',
      'a;b',
      '$(id)',
      'a\nb',
      'HEAD~1',
      'a:b',
      '/a',
      'a/',
      'a//b',
    ];
    for (const name of [...bad, '.a', 'a/.b', 'x.lock', 'a@{1}', '*', '\\'])
      expect(refName.safeParse(name).success, name).to.equal(false);
  });

  it('are close when letters were swapped, forgotten, or only a part was given', () => {
    const names = ['main', 'maintenance', 'upgrade-nginx', 'Upgrade-Redis'];
    expect(closeNames('mian', names)).to.deep.equal(['main']);
    expect(closeNames('mainn', names)).to.deep.equal(['main']);
    expect(closeNames('upgrade', names)).to.deep.equal(['upgrade-nginx', 'Upgrade-Redis']);
    expect(closeNames('upgrade-redis', names)).to.deep.equal(['Upgrade-Redis']);
    expect(closeNames('zzz', names)).to.deep.equal([]);
  });
});
