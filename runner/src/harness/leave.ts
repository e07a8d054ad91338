import { stderr, stdout } from 'node:process';

/** Ends this process once all it has printed is through; open connections of test code do not keep it. */
export async function leave(exitCode: number): Promise<never> {
  await Promise.all([stdout, stderr].map((stream) => new Promise((done) => stream.write('', done))));
  process.exit(exitCode);
}
