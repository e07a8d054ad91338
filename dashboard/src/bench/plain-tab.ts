import type { CDPSession } from '@playwright/test';

/** A tab that shows about:blank at first. */
export interface PlainTab {
  /** Sends a command of the Chrome DevTools Protocol. @throws what the browser says of it */
  send(method: string, params?: object): Promise<unknown>;
  /** Resolves when the browser tells of this for the next time. */
  told(event: string): Promise<void>;
  close(): Promise<void>;
}

interface Message {
  id?: number;
  method?: string;
  result?: unknown;
  error?: { message: string };
}

/**
 * Opens a tab in a profile of its own, with nothing in its cache, that Playwright does not know: into each page of its own
 * it puts a second world for scripts, which takes time of the page.
 * @param browser a session with the browser itself
 */
export async function openPlainTab(
  browser: CDPSession,
  size: { width: number; height: number },
): Promise<PlainTab> {
  const { browserContextId } = await browser.send('Target.createBrowserContext');
  const { targetId } = await browser.send('Target.createTarget', {
    url: 'about:blank',
    browserContextId,
    ...size,
  });
  // Not flattened, for then Playwright would have to know the session.
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: false });
  const answers = new Map<number, (answer: Message) => void>();
  const awaited = new Map<string, () => void>();
  let sent = 0;
  const hear = (event: { sessionId: string; message: string }) => {
    if (event.sessionId !== sessionId) return;
    const message = JSON.parse(event.message) as Message;
    if (message.id !== undefined) answers.get(message.id)?.(message);
    if (message.method !== undefined) awaited.get(message.method)?.();
  };
  browser.on('Target.receivedMessageFromTarget', hear);
  return {
    async send(method, params = {}) {
      sent += 1;
      const id = sent;
      const answer = new Promise<Message>((resolve) => answers.set(id, resolve));
      await browser.send('Target.sendMessageToTarget', {
        sessionId,
        message: JSON.stringify({ id, method, params }),
      });
      const { result, error } = await answer;
      answers.delete(id);
      if (error) throw new Error(`${method}: ${error.message}`);
      return result;
    },
    told: (event) => new Promise((resolve) => awaited.set(event, resolve)),
    async close() {
      browser.off('Target.receivedMessageFromTarget', hear);
      await browser.send('Target.disposeBrowserContext', { browserContextId });
    },
  };
}
