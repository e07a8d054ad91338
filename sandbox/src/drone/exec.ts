import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

/** What Drone's exec runner does for one step (drone-runner-exec, engine/exec.go). */
export interface ExecStep {
  /** File that holds the step's script. */
  script: string;
  cwd: string;
  /** The whole environment. */
  env: Record<string, string>;
  /** Called with each write, cut after newlines. */
  onWrite: (text: string) => void;
  /** Kills the step. */
  signal: AbortSignal;
}

/**
 * Runs a step's script. Aborted, only the direct child is killed, with SIGKILL and at once, and nobody waits for what
 * it had started: that lives on.
 * @returns the exit code, or undefined when it was killed by us
 */
export function runExecStep({ script, cwd, env, onWrite, signal }: ExecStep): Promise<number | undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    const child = spawn('/bin/sh', ['-e', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let over = false;
    const end = (code: number | undefined) => {
      if (over) return;
      over = true;
      signal.removeEventListener('abort', kill);
      resolve(code);
    };
    const kill = () => {
      child.kill('SIGKILL');
      end(undefined);
    };
    for (const stream of [child.stdout, child.stderr]) {
      const decoder = new StringDecoder('utf8');
      stream.on('data', (chunk: Buffer) => {
        // After a kill it is still read, so that who lives on can write, and thrown away.
        if (!over) for (const part of cut(decoder.write(chunk))) onWrite(part);
      });
    }
    signal.addEventListener('abort', kill);
    child.on('error', () => end(255));
    child.on('close', (code) => end(code ?? 255));
  });
}

/** As runner-go's livelog: whole lines, and what stands behind the last newline (even nothing). */
function cut(text: string): string[] {
  return text.replace(/\n$/, '').includes('\n') ? text.split(/(?<=\n)/) : [text];
}

/** The script of a step's commands (runner-go, shell/bash): each is shown, then run; the first that fails ends it. */
export function stepScript(commands: readonly string[]): string {
  const parts = commands.map(
    (command) => `\necho + ${JSON.stringify(command).replaceAll('$', '\\$')}\n${command}\n`,
  );
  return `\nset -e\n${parts.join('')}`;
}
