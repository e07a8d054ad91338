import { fileURLToPath } from 'node:url';
import { run } from '@cc-ci/core';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '');

const TIMEOUT_MS = 60_000;
const FLAKES = ['--extra-experimental-features', 'nix-command flakes'];
const STUBS = `${ROOT}/nix/stub`;

/** What is evaluated: one of the profiles of nix/evaluate.nix, and a module (Nix) beside it. */
export interface Evaluated {
  profile?: 'host' | 'server' | 'runner' | 'none';
  extra?: string;
  /** Whether the options of sops-nix are there. Default: they are. */
  sops?: boolean;
}

/** Enough of a server's facts for every assertion to hold. */
export const FACTS = `services.cc-ci = {
  zone = "ci.example.org"; org = "coop"; forge.url = "https://git.example.org"; forge.bot = "bot";
};`;

/**
 * An attribute of nix/evaluate.nix, our modules with the stand-ins of NixOS and sops-nix.
 * @throws CommandFailedError with what the evaluation said
 */
export async function evaluate<T>(attribute: string, options: Evaluated = {}): Promise<T> {
  const { profile = 'server', extra = `{ ${FACTS} }`, sops = true } = options;
  const args = ['--eval', '--strict', '--json', `${ROOT}/nix/evaluate.nix`, '-A', attribute];
  const given = ['--argstr', 'profile', profile, '--arg', 'sops', String(sops)];
  const { stdout } = await nix('nix-instantiate', [...args, ...given, '--arg', 'extra', extra]);
  return JSON.parse(stdout) as T;
}

/** What an expression evaluates to, with the repository's root as the folder of its paths. */
export async function evaluateText<T>(expression: string): Promise<T> {
  const { stdout } = await nix('nix-instantiate', ['--eval', '--strict', '--json', '--expr', expression]);
  return JSON.parse(stdout) as T;
}

/** `nix flake check` of a flake without building, with the stand-ins for its inputs. @returns what it said */
export async function checkFlake(flake: string): Promise<string> {
  const stub = (input: string) => ['--override-input', input, `path:${STUBS}/${input}`];
  const args = ['check', '--no-build', '--offline', '--no-write-lock-file'];
  const { stderr } = await nixFlake(...args, ...stub('nixpkgs'), ...stub('sops-nix'), flake);
  return stderr;
}

/** `nix flake …`. */
export function nixFlake(...args: string[]) {
  return nix('nix', [...FLAKES, 'flake', ...args]);
}

function nix(program: string, args: string[]) {
  return run(program, args, {
    cwd: ROOT,
    timeoutMs: TIMEOUT_MS,
    missingHint: 'apt-get install nix-bin, or run ./setup --tests',
  });
}
