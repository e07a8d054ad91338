import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { NODE_FLAGS } from './heap.js';

/** Makes much garbage, and says how large the space for new objects has become, in MB. */
const LITTER = `
const { getHeapSpaceStatistics } = await import('node:v8');
const kept = [];
for (let i = 0; i < 1e6; i++) kept[i % 20000] = { i, more: [i] };
const { space_size } = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
console.log(space_size / 1024 / 1024);`;

describe('Node, as cc-ci starts it', () => {
  it('has the same flags from a shell, on a host, and where it is measured', async () => {
    const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
    expect(await read('cli/bin/cc-ci.js')).to.match(
      new RegExp(`^#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}\n`),
    );
    const packaged = await read('nix/packages/cc-ci.nix');
    const added = Array.from(packaged.matchAll(/--add-flags (--\S+)/g), ([, flag]) => flag);
    expect(added).to.deep.equal(NODE_FLAGS);
  });
});

describe('a small heap', () => {
  async function newSpaceAfter(before: string): Promise<number> {
    const args = ['--input-type=module', '--eval', before + LITTER];
    return Number((await promisify(execFile)(process.execPath, args)).stdout);
  }

  it('does not grow with what is thrown away', async () => {
    const module = fileURLToPath(new URL('./heap.js', import.meta.url));
    const small = await newSpaceAfter(`(await import(${JSON.stringify(module)})).keepHeapSmall();`);
    const usual = await newSpaceAfter('');
    expect(small).to.be.at.most(4);
    expect(usual, 'without it').to.be.above(small);
  });
});
