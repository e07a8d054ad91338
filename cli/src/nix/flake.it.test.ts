import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeError, run } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { checkFlake, nixFlake, ROOT } from './testing/nix.js';

/** What can be shown with nix alone; nothing is built and no input is fetched. */
describe('the flake', () => {
  it('and every other Nix file parses', async () => {
    const { stdout } = await run('git', ['ls-files', '*.nix'], { cwd: ROOT });
    const files = stdout.trim().split('\n');
    expect(files).to.include.members(['flake.nix', 'modules/swarm.nix', 'hosts/cc-ci/configuration.nix']);
    await run('nix-instantiate', ['--parse', ...files], { cwd: ROOT, timeoutMs: 60_000 });
  });

  it('agrees with its lock file', async () => {
    const nodes = await lockOf(`git+file://${ROOT}`);
    expect(nodes.nixpkgs?.locked?.rev).to.match(/^[0-9a-f]{40}$/);
    expect(nodes['sops-nix']?.locked?.rev).to.match(/^[0-9a-f]{40}$/);
  });

  it('passes nix flake check with stand-ins for its inputs', async () => {
    expect(await checkFlake(`git+file://${ROOT}`)).not.to.match(/^error|unknown flake output/m);
  });

  const seeded: [mistake: string, file: string, from: string, to: string, said: RegExp][] = [
    ['a syntax error', 'modules/swarm.nix', 'lib.mkIf', 'lib.mkIf (', /syntax error/],
    ['a misspelt option of NixOS', 'modules/swarm.nix', 'liveRestore =', 'liveRestored =', /does not exist/],
    ['a wrong type', 'hosts/cc-ci/configuration.nix', '"UTC"', '0', /not of type/],
    ['a missing file', 'modules/default.nix', './drone.nix', './drones.nix', /drones\.nix/],
    ['a function that is not there', 'modules/traefik.nix', 'lib.genAttrs', 'lib.genAttr', /genAttr/],
    ['an assertion that fails', 'hosts/cc-ci/configuration.nix', 'org =', '# org =', /Failed assertions/],
    [
      'an unfree package nobody allowed',
      'nix/packages/unfree.nix',
      '"drone.io"',
      '"drone"',
      /drone\.io.*unfree/,
    ],
    ['a package that is not there', 'nix/shell.nix', ' age\n', ' agee\n', /agee/],
    [
      'a module that is a path, which nix 2.8 refuses',
      'flake.nix',
      'default = import ./modules;',
      'default = ./modules;',
      /must be a function or an attribute set/,
    ],
  ];
  for (const [mistake, file, from, to, said] of seeded) {
    it(`does not pass with ${mistake}`, async () => {
      const copy = await copyWith(file, from, to);
      try {
        expect(await failureOf(checkFlake(`path:${copy}`))).to.match(said);
      } finally {
        await rm(copy, { recursive: true });
      }
    });
  }

  for (const [mistake, file, from, to] of [
    ['another url than the locked one', 'flake.nix', 'nixos-26.05', 'nixos-25.11'],
    ['a revision cut short', 'flake.lock', '2f5a153c270b70cb', '2f5a153c270b70'],
  ] as const) {
    it(`does not agree with a lock file that has ${mistake}`, async () => {
      const copy = await copyWith(file, from, to);
      try {
        expect(await failureOf(lockOf(`path:${copy}`))).to.match(/error/);
      } finally {
        await rm(copy, { recursive: true });
      }
    });
  }
});

async function lockOf(flake: string): Promise<Record<string, { locked?: { rev: string } }>> {
  const { stdout } = await nixFlake('metadata', '--offline', '--no-write-lock-file', '--json', flake);
  return (JSON.parse(stdout) as { locks: { nodes: Record<string, { locked?: { rev: string } }> } }).locks
    .nodes;
}

/** A copy of what the flake is made of, with one change. */
async function copyWith(file: string, from: string, to: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'cc-ci-flake-'));
  for (const name of [
    'flake.nix',
    'flake.lock',
    'package.json',
    'package-lock.json',
    'modules',
    'hosts',
    'nix',
  ]) {
    await cp(join(ROOT, name), join(copy, name), { recursive: true });
  }
  const text = await readFile(join(copy, file), 'utf8');
  expect(text, `${file} has changed: this mistake cannot be made any more`).to.include(from);
  await writeFile(join(copy, file), text.replace(from, to));
  return copy;
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => expect.fail('it passed'),
    (error: unknown) => describeError(error),
  );
}
