import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from './environment.js';

/** The real runner's clone, with what it needs in variables. */
export const CLONE_COMMANDS = [
  'git init --quiet',
  'git remote add origin "$DRONE_REMOTE_URL"',
  'git fetch --quiet origin "+refs/heads/$DRONE_COMMIT_BRANCH:"',
  'git checkout --quiet "$DRONE_COMMIT_SHA" -b "$DRONE_COMMIT_BRANCH"',
];

/** One step's commands and what they see. */
export interface StepProcess {
  name: string;
  commands: readonly string[];
  env: Readonly<Record<string, string>>;
}

/**
 * Runs the commands of a step as the real runner does: one `sh -e`, each command said before it runs, in the runner's
 * own process group. It is over when nothing holds its output open any more. When `signal` is aborted the shell itself,
 * and nothing it started, gets SIGKILL, at once: what lives on is for others to find.
 * @returns the exit code; 255 for an end by a signal; undefined when it was killed by us
 */
export async function runStep(
  step: StepProcess,
  workspace: Workspace,
  onOutput: (chunk: string) => void,
  signal: AbortSignal,
): Promise<number | undefined> {
  const script = join(workspace.scripts, encodeURIComponent(step.name));
  const said = step.commands.map((command) => `\nprintf '+ %s\\n' ${quoted(command)}\n${command}\n`);
  await writeFile(script, `set -e\n${said.join('')}`, { mode: 0o700 });
  if (signal.aborted) return undefined;
  const child = spawn('/bin/sh', ['-e', script], {
    cwd: workspace.source,
    env: { ...step.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onOutput);
  return new Promise((resolve, reject) => {
    const stop = () => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(undefined);
    };
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', stop);
      resolve(code ?? 255);
    });
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
