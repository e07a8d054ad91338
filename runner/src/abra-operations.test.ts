import { expect } from 'chai';
import { describe, it } from 'mocha';
import { argvOf, OPERATIONS, type Operation } from './abra-operations.js';

describe('what is asked of abra', () => {
  const rows: [string, Operation][] = Object.entries(OPERATIONS);

  it('is written as the contract has it', () => {
    const about = ['x.ci.test'];
    const lines = [
      argvOf('version'),
      argvOf('addLocalServer'),
      argvOf('newApp', ['custom-html'], { domain: 'x.ci.test', server: 'default' }),
      argvOf('generateSecrets', about),
      argvOf('insertSecret', [...about, 'cert', 'v1', '/run/cert']),
      argvOf('deploy', about),
      argvOf('undeploy', about),
      argvOf('createBackup', about),
      argvOf('listSnapshots', about),
      argvOf('downloadBackup', about, { snapshot: '0123abcd' }),
      argvOf('restoreBackup', about, { snapshot: '0123abcd' }),
    ].map((words) => words.join(' '));
    expect(lines).to.deep.equal([
      '-v',
      'server add -l',
      'app new custom-html -n -C -o --domain=x.ci.test --server=default',
      'app secret generate x.ci.test -a -n -m -C -o',
      'app secret insert x.ci.test cert v1 /run/cert -f -n -C -o',
      'app deploy x.ci.test -n -C -o -D -c',
      'app undeploy x.ci.test -n',
      'app backup create x.ci.test -n -C -o',
      'app backup snapshots x.ci.test -n',
      'app backup download x.ci.test -n --snapshot=0123abcd',
      'app restore x.ci.test -n -C -o --snapshot=0123abcd',
    ]);
  });

  it('never asks undeploy for --chaos, which abra does not have there', () => {
    expect(OPERATIONS.undeploy.flags.map(({ long }) => long)).to.not.include('--chaos');
  });

  it('asks no question that somebody would have to answer, and ends some day', () => {
    for (const [name, { words, flags, timeoutMs }] of rows) {
      expect(timeoutMs, name).to.be.within(1_000, 3_600_000);
      if (words[0] === 'app')
        expect(
          flags.map(({ long }) => long),
          name,
        ).to.include('--no-input');
    }
  });

  it('cannot be asked without a value that is needed, nor with one that goes nowhere', () => {
    expect(() => argvOf('restoreBackup', ['x'])).to.throw(RangeError, 'needs a value for --snapshot');
    expect(() => argvOf('undeploy', ['x'], { snapshot: '1' })).to.throw(RangeError, 'is not given snapshot');
  });
});
