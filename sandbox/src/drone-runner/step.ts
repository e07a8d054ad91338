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
 * The script of a step's commands, as runner-go's shell/bash writes it: each is shown, then run; the first that fails
 * ends it. Shown in double quotes: what stands in backquotes is run by that, too.
 */
export function stepScript(commands: readonly string[]): string {
  const parts = commands.map(
    (command) => `\necho + ${JSON.stringify(command).replaceAll('$', '\\$')}\n${command}\n`,
  );
  return `\nset -e\n${parts.join('')}`;
}

/**
 * Runs the commands of a step as the real runner does (drone-runner-exec, engine/exec.go): one `sh -e` in the runner's
 * own process group. It is over when nothing holds its output open any more. When `signal` is aborted the shell itself,
 * and nothing it started, gets SIGKILL, at once, and nobody waits for what lives on: what that writes is read, and
 * thrown away.
 * @returns the exit code; 255 for an end by a signal; undefined when it was killed by us
 */
export async function runStep(
  step: StepProcess,
  workspace: Workspace,
  onOutput: (chunk: string) => void,
  signal: AbortSignal,
): Promise<number | undefined> {
  const script = join(workspace.scripts, encodeURIComponent(step.name));
  await writeFile(script, stepScript(step.commands), { mode: 0o700 });
  if (signal.aborted) return undefined;
  const child = spawn('/bin/sh', ['-e', script], {
    cwd: workspace.source,
    env: { ...step.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let over = false;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      if (!over) onOutput(chunk);
    });
  return new Promise((resolve, reject) => {
    const stop = () => {
      over = true;
      child.kill('SIGKILL');
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
