import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { evaluateText, ROOT } from './testing/nix.js';

const STUB = `${ROOT}/nix/stub/nixpkgs`;
const LIB = `lib = import ${STUB}/modules.nix;`;
const PACKAGES = `let ${LIB} pkgs = import ${STUB}/packages.nix { system = "x86_64-linux"; inherit lib; allowUnfree = _: true; };
  ours = import ${ROOT}/nix/packages { inherit pkgs; }; in`;

describe('the packages', () => {
  it('allow Drone and its runner to be unfree, and nothing else', async () => {
    const allowed = (pname: string) =>
      evaluateText<boolean>(
        `let ${LIB} in import ${ROOT}/nix/packages/unfree.nix { inherit lib; } { pname = "${pname}"; }`,
      );
    expect(await allowed('drone.io')).to.equal(true);
    expect(await allowed('drone-runner-exec')).to.equal(true);
    expect(await allowed('drone')).to.equal(false);
    expect(await allowed('steam')).to.equal(false);
  });

  it('are named as nixpkgs names them, in versions that are fixed', async () => {
    const named = await evaluateText<Record<string, string>>(
      `${PACKAGES} builtins.mapAttrs (_: it: it.pname + " " + it.version) ours`,
    );
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(named).to.deep.equal({
      abra: 'abra 0.11.0-beta',
      'cc-ci': `cc-ci ${version}`,
      default: `cc-ci ${version}`,
      'drone-runner-exec': 'drone-runner-exec 0-unstable-2022',
    });
  });

  it('build cc-ci from its rooms and nothing that is made', async () => {
    // In the store this time: the filter is what is looked at.
    const { stdout } = await run(
      'nix-instantiate',
      [
        '--eval',
        '--read-write-mode',
        '--json',
        '--expr',
        `"\${(import ${ROOT}/nix/packages/source.nix).src}"`,
      ],
      { timeoutMs: 60_000 },
    );
    const source = JSON.parse(stdout) as string;
    const { workspaces } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      workspaces: string[];
    };
    const files = ['package.json', 'package-lock.json', 'tests', 'tsconfig.base.json', 'tsconfig.json'];
    expect(await readdir(source)).to.have.members([...workspaces, ...files]);
    const all = await readdir(source, { recursive: true });
    expect(all).to.include.members(['cli/bin/cc-ci.js', 'dashboard/templates/run.eta', 'core/src/config.ts']);
    expect(all.filter((path) => /(^|\/)(dist|node_modules)(\/|$)/.test(path))).to.deep.equal([]);
  });

  it('take every dependency by a hash of the lock file, and no room of ours from it', async () => {
    const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { link?: boolean; resolved?: string; integrity?: string }>;
    };
    const given = await evaluateText<typeof lock>(
      `${PACKAGES} builtins.removeAttrs ours.cc-ci.npmDeps.packageLock [ "name" ]`,
    );
    const fetched = Object.entries(given.packages).filter(([, { resolved }]) => resolved !== undefined);
    expect(fetched.length).to.be.greaterThan(50);
    for (const [name, { link, resolved, integrity }] of fetched) {
      expect(link, name).to.equal(undefined);
      expect(resolved, name).to.match(/^https:/);
      expect(integrity, name).to.match(/^sha512-/);
    }
    const links = Object.keys(lock.packages).filter((name) => lock.packages[name]?.link);
    expect(links).to.include('node_modules/@cc-ci/core');
    expect(Object.keys(given.packages)).to.have.length(Object.keys(lock.packages).length - links.length);
  });
});
