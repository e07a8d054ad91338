import { expect } from 'chai';
import { describe, it } from 'mocha';
import { branchName, ownerName, repositoryName } from './names.js';

const allowed = (schema: { safeParse(text: string): { success: boolean } }, names: string[]) =>
  names.filter((name) => schema.safeParse(name).success);

describe('names', () => {
  it('of owners stay in their folder and off the forge’s own paths', () => {
    const right = ['a', 'coop-cloud', 'A.b_c-9', 'x'.repeat(40)];
    const wrong = ['', '.', '..', '../x', 'a/b', 'a\\b', '-a', 'a-', 'a--b', 'a.', '.a', 'a b', 'a\0', 'ä'];
    const reserved = ['api', 'API', 'assets', 'x.keys', 'x.png', 'x'.repeat(41)];
    expect(allowed(ownerName, [...right, ...wrong, ...reserved])).to.deep.equal(right);
  });

  it('of repositories stay in their owner’s folder', () => {
    const right = ['a', '-a', 'custom-html', 'a.b', '.hidden', 'x'.repeat(100)];
    const wrong = [
      '',
      '.',
      '..',
      '-',
      '../x',
      'a/b',
      'a\\b',
      'a b',
      'a\0',
      'x.git',
      'x.GIT',
      'x.wiki',
      'x'.repeat(101),
    ];
    expect(allowed(repositoryName, [...right, ...wrong])).to.deep.equal(right);
  });

  it('of branches are what git allows', () => {
    const right = ['main', 'feature/one', 'v1.2', 'a@b', 'ümläut', 'a{b'];
    const refused = [
      '',
      '@',
      '-a',
      '/a',
      'a/',
      'a//b',
      'a..b',
      'a.',
      '.a',
      'a/.b',
      'a.lock',
      'a.lock/b',
      'a b',
      'a~1',
    ];
    const signs = ['a^', 'a:b', 'a?', 'a*', 'a[', 'a\\b', 'a@{1}', 'a\nb', 'a\x7f', 'x'.repeat(256)];
    expect(allowed(branchName, [...right, ...refused, ...signs])).to.deep.equal(right);
  });
});
