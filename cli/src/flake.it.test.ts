import { fileURLToPath } from 'node:url';
import { run } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FLAKES = ['--extra-experimental-features', 'nix-command flakes'];

/** What can be shown with nix alone; nothing is built and no input is fetched. */
describe('the flake', () => {
  it('parses', async () => {
    const { stdout } = await run('nix-instantiate', ['--parse', 'flake.nix'], { cwd: ROOT });
    expect(stdout).to.include('devShells');
  });

  it('agrees with its lock file', async () => {
    const args = [
      ...FLAKES,
      'flake',
      'metadata',
      '--offline',
      '--no-write-lock-file',
      '--json',
      `git+file://${ROOT}`,
    ];
    const { stdout } = await run('nix', args, { cwd: ROOT });
    const { locks } = JSON.parse(stdout) as {
      locks: { nodes: Record<string, { locked?: { rev: string } }> };
    };
    expect(locks.nodes.nixpkgs?.locked?.rev).to.match(/^[0-9a-f]{40}$/);
    expect(locks.nodes['sops-nix']?.locked?.rev).to.match(/^[0-9a-f]{40}$/);
  });
});
