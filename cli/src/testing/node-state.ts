import { run } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach } from 'mocha';

const LISTS = {
  stacks: ['stack', 'ls', '--format', '{{.Name}}'],
  services: ['service', 'ls', '--format', '{{.Name}}'],
  containers: ['ps', '--all', '--format', '{{.Names}}'],
  volumes: ['volume', 'ls', '--format', '{{.Name}}'],
  secrets: ['secret', 'ls', '--format', '{{.Name}}'],
  configs: ['config', 'ls', '--format', '{{.Name}}'],
  networks: ['network', 'ls', '--format', '{{.Name}}'],
} as const;

/** What the node holds, as a person would list it; compare one from before with one from after. */
export async function nodeState(): Promise<Record<keyof typeof LISTS, string[]>> {
  const entries = await Promise.all(
    Object.entries(LISTS).map(async ([what, args]) => {
      const { stdout } = await run('docker', args);
      return [
        what,
        stdout
          .split('\n')
          .filter((line) => line)
          .sort(),
      ] as const;
    }),
  );
  return Object.fromEntries(entries) as Record<keyof typeof LISTS, string[]>;
}

/** Makes every test of a `describe` leave the node as it found it. */
export function nodeStaysAsItIs(): void {
  let before: Awaited<ReturnType<typeof nodeState>>;
  beforeEach(async () => {
    before = await nodeState();
  });
  afterEach(async function () {
    // A failed test has its own story; what it leaves must not fail the next one.
    if (this.currentTest?.state === 'failed') return;
    expect(await nodeState()).to.deep.equal(before);
  });
}
