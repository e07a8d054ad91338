import { setTimeout as delay } from 'node:timers/promises';
import type { EngineReader } from '@cc-ci/engine';
import { isFinal } from '@cc-ci/engine';
import { commentsOn, type OpenedPull, type Organisation } from '@cc-ci/sandbox';

const LOOK_MS = 100;

/** Waits until the bridge has started a build for this pull request, and gives its id. */
export async function waitForBuild(
  engine: EngineReader,
  pull: OpenedPull,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    const build = (await engine.list()).find(
      ({ request }) => request.repo === pull.repo && request.pr === pull.number,
    );
    if (build) return build.id;
    await delay(LOOK_MS);
  }
}

/** Prints the build's log as it grows, to its end. @returns the build's final state */
export async function followBuild(
  engine: EngineReader,
  id: string,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  for await (const { text } of engine.logs(id, { follow: true, signal })) print(text);
  signal.throwIfAborted();
  const build = await engine.get(id);
  return build && isFinal(build.state) ? build.state : 'unknown';
}

/** Waits until the bot's comment on this run gives a verdict. @returns its text without the hidden marker */
export async function waitForFinalComment(
  org: Organisation,
  pull: OpenedPull,
  run: string,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    const comments = await commentsOn(org.url, org.member, pull);
    const own = comments.find(
      ({ body, user }) => user.login === org.bot.login && body.includes(`run:${run} -->`),
    );
    if (own && /\*\*(green|red|error|cancelled)\*\*/.test(own.body))
      return own.body.replace(/<!--.*?-->/gs, '').trim();
    await delay(LOOK_MS);
  }
}
