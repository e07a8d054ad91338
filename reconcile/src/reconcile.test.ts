import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError, tryLock } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { definePart, type Obstacle, type Part } from './part.js';
import { EXIT_CODES, reconcile, reconcileAlone } from './reconcile.js';
import { reportLines } from './words.js';

const MISSING: Obstacle = { missing: 'a token', whose: 'operator', todo: 'make one' };

/** A host of words: a part is right when its word is there, and acts by adding it. */
class Host {
  readonly words = new Set<string>();
  readonly log: string[] = [];
  obstacle: string | undefined;
  /** Actions on this word do nothing, or throw. */
  stuck: string | undefined;
  broken: string | undefined;

  part(name: string, needs: string[] = [], words: string[] = [name]): Part {
    return definePart<string>({
      name,
      needs,
      inspect: async () => {
        this.log.push(`look ${name}`);
        return {
          differences: words
            .filter((word) => !this.words.has(word))
            .map((word) => ({ found: `no ${word}`, plan: `say ${word}`, action: word })),
          obstacles: this.obstacle === name ? [MISSING] : [],
          notes: words.filter((word) => this.words.has(word)).map((word) => `${word} is said`),
        };
      },
      act: async (word) => {
        this.log.push(`say ${word}`);
        if (word === this.broken) throw new InputError(`${word} cannot be said`, { hint: 'drink' });
        if (word !== this.stuck) this.words.add(word);
      },
    });
  }
}

describe('reconcile', () => {
  let host: Host;
  let parts: Part[];
  beforeEach(() => {
    host = new Host();
    parts = [host.part('c', ['b']), host.part('b', ['a']), host.part('a'), host.part('d', [], ['d1', 'd2'])];
  });
  const statesOf = ({ parts: reports }: { parts: { part: string; state: string }[] }) =>
    Object.fromEntries(reports.map(({ part, state }) => [part, state]));

  it('looks, acts and looks again, each part after what it needs', async () => {
    const report = await reconcile(parts, ['all']);
    expect(host.log).to.deep.equal([
      ...['look a', 'say a', 'look a', 'look b', 'say b', 'look b', 'look c', 'say c', 'look c'],
      ...['look d', 'say d1', 'say d2', 'look d'],
    ]);
    expect(report.state).to.equal('changed');
    expect(report.parts.at(-1)).to.deep.equal({
      part: 'd',
      state: 'changed',
      notes: ['d1 is said', 'd2 is said'],
      changes: [
        { found: 'no d1', plan: 'say d1' },
        { found: 'no d2', plan: 'say d2' },
      ],
      obstacles: [],
    });
  });

  it('does nothing the second time', async () => {
    await reconcile(parts, ['all']);
    host.log.length = 0;
    expect((await reconcile(parts, ['all'])).state).to.equal('converged');
    expect(host.log).to.deep.equal(['look a', 'look b', 'look c', 'look d']);
  });

  it('acts on what differs only', async () => {
    await reconcile(parts, ['all']);
    host.log.length = 0;
    host.words.delete('d2');
    const report = await reconcile(parts, ['all']);
    expect(host.log.filter((line) => line.startsWith('say'))).to.deep.equal(['say d2']);
    expect(statesOf(report)).to.deep.equal({ a: 'converged', b: 'converged', c: 'converged', d: 'changed' });
  });

  it('takes a part with what it needs, and no other', async () => {
    expect(statesOf(await reconcile(parts, ['b']))).to.deep.equal({ a: 'changed', b: 'changed' });
    expect([...host.words]).to.deep.equal(['a', 'b']);
  });

  it('touches nothing of a part that is blocked, nor of those that need it', async () => {
    host.obstacle = 'b';
    const report = await reconcile(parts, ['all']);
    expect(statesOf(report)).to.deep.equal({ a: 'changed', b: 'blocked', c: 'blocked', d: 'changed' });
    expect([...host.words]).to.deep.equal(['a', 'd1', 'd2']);
    expect(report.state).to.equal('blocked');
    expect(report.parts[1]).to.deep.include({ obstacles: [MISSING], changes: [] });
    expect(report.parts[2]?.obstacles[0]?.missing).to.equal('b is not right');
    expect(reportLines(report).join('\n')).to.include("    a token\n      the operator's job: make one");
  });

  it('says that it failed when an action throws, with what was done before, and goes on with the others', async () => {
    host.broken = 'd1';
    const report = await reconcile(parts, ['d', 'a']);
    expect(statesOf(report)).to.deep.equal({ d: 'failed', a: 'changed' });
    expect(report.parts[0]).to.deep.include({
      error: 'd1 cannot be said (drink)',
      changes: [{ found: 'no d1', plan: 'say d1' }],
    });
    expect([...host.words]).to.deep.equal(['a']);
    expect(report.state).to.equal('failed');
  });

  it('believes no action: what is not right after it has failed', async () => {
    host.stuck = 'a';
    const report = await reconcile(parts, ['b']);
    expect(report.parts[0]).to.include({ state: 'failed', error: 'it was changed, and still no a' });
    expect(report.parts[1]).to.include({ state: 'blocked' });
  });

  it('only looks with dryRun, and does not guess about what depends on changes', async () => {
    host.words.add('d1');
    const report = await reconcile(parts, ['all'], { dryRun: true });
    expect(host.log).to.deep.equal(['look a', 'look d']);
    expect(statesOf(report)).to.deep.equal({ a: 'changed', b: 'unknown', c: 'unknown', d: 'changed' });
    expect(report).to.include({ dryRun: true, state: 'changed' });
    expect(reportLines(report)).to.deep.equal([
      'a            would be changed',
      '    no a: say a',
      'b            unknown',
      '    is looked at after a',
      'c            unknown',
      '    is looked at after b',
      'd            would be changed',
      '    d1 is said',
      '    no d2: say d2',
    ]);
  });

  it('names the parts there are when asked for another, before anything is touched', async () => {
    const error = await reconcile(parts, ['a', 'e']).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(InputError);
    expect(error).to.include({
      message: 'there is no part e',
      hint: 'the parts are c, b, a, d, and all of them',
    });
    expect(host.log).to.deep.equal([]);
  });

  it('refuses parts that need each other', async () => {
    const circle = [host.part('x', ['y']), host.part('y', ['x'])];
    const error = await reconcile(circle, ['x']).catch((thrown: unknown) => thrown);
    expect(String(error)).to.include('parts need each other: x, y, x');
  });

  it('has an exit code of its own for each state, and none is what Node ends with by itself', () => {
    const codes = Object.values(EXIT_CODES);
    expect(new Set(codes).size).to.equal(codes.length);
    expect(EXIT_CODES.converged).to.equal(0);
    expect(codes).to.not.include(1);
  });

  describe('one at a time', () => {
    let dir: string;
    let lockFile: string;
    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), 'cc-ci-reconcile-'));
      lockFile = join(dir, 'host', 'lock');
    });
    afterEach(() => rm(dir, { recursive: true }));

    it('waits for the other, who leaves nothing to do', async () => {
      const both = await Promise.all([1, 2].map(() => reconcileAlone(lockFile, parts, ['all'])));
      expect(both.map(({ state }) => state).sort()).to.deep.equal(['changed', 'converged']);
      expect(host.log.filter((line) => line === 'say a')).to.have.length(1);
    });

    it('gives up in the end, and frees the lock whatever happens', async () => {
      const held = tryLock(lockFile);
      const error = await reconcileAlone(lockFile, parts, ['a'], {}, 60).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(InputError);
      expect((await reconcileAlone(lockFile, parts, ['a'], { dryRun: true })).state).to.equal('changed');
      expect(host.words.size).to.equal(0);
      held?.release();
      host.broken = 'a';
      expect((await reconcileAlone(lockFile, parts, ['a'], {}, 60)).state).to.equal('failed');
      const free = tryLock(lockFile);
      expect(free).to.not.equal(undefined);
      free?.release();
    });
  });
});
