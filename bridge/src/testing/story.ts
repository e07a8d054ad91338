import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type Store } from '@cc-ci/core';
import { expect } from 'chai';
import { type RunningBridge, runBridge } from '../bridge.js';
import { connectForge, type ForgeClient } from '../forge/client.js';
import { NO_OBSERVER } from '../observer.js';
import type { Rules } from '../rules.js';
import { openBridgeStore } from '../store.js';
import { listTriggers, type Trigger } from '../triggers.js';
import { createFakeEngine, type FakeEngine } from './fake-engine.js';
import { FAKE_TOKEN, type FakeForge, ORG, startFakeForge } from './fake-forge.js';
import { PLAIN_RULES } from './rules.js';

/** Where links in a story's comments lead. */
export const PUBLIC_URL = 'https://ci.test';

/** A forge, an engine and a bridge between them that can be stopped, killed and started again. */
export interface Story {
  forge: FakeForge;
  engine: FakeEngine;
  /** Starts the bridge and waits for its first look at the forge. */
  start(): Promise<RunningBridge>;
  stop(): Promise<void>;
  /** What SIGKILL does: nothing that was not kept yet is kept, no answer under way arrives. */
  crash(): Promise<void>;
  /** Whether the bridge's database can be written; a full disk is when it cannot. */
  setWritable(writable: boolean): void;
  triggers(): Trigger[];
  /** The text of what the bot writes next. */
  nextComment(): Promise<string>;
  nextEdit(): Promise<string>;
  /** Ends everything. Fails when the bot wrote something, or a build was started, that the story did not expect. */
  end(): Promise<void>;
}

/** @param tellAfter failures in a row after which it is said that a command waits; by default it never is */
export async function tellStory(
  rules: Partial<Rules> = {},
  { tellAfter = Number.POSITIVE_INFINITY }: { tellAfter?: number } = {},
): Promise<Story> {
  const folder = await mkdtemp(join(tmpdir(), 'cc-ci-bridge-'));
  const forge = await startFakeForge();
  const engine = createFakeEngine();
  let parts: { store: Store; client: ForgeClient; bridge: RunningBridge } | undefined;

  async function next(kind: 'comment' | 'edit'): Promise<string> {
    const message = await forge.messages.next();
    expect(message.kind, message.body).to.equal(kind);
    return message.body;
  }

  const story: Story = {
    forge,
    engine,
    async start() {
      const store = openBridgeStore(join(folder, 'bridge.sqlite'));
      const client = connectForge({ url: forge.url, token: FAKE_TOKEN, timeoutMs: 2_000 });
      const bridge = runBridge({
        store,
        forge: client,
        engine,
        org: ORG,
        publicUrl: PUBLIC_URL,
        readRecord: engine.readRecord,
        rules: { ...PLAIN_RULES, ...rules },
        timing: {
          pollMs: 20,
          pollBudget: 60_000,
          followMs: 10,
          retry: { firstMs: 10, capMs: 40 },
          tellAfter,
        },
        logger: createLogger('test', process.env.BRIDGE_TEST_LOG ?? 'silent'),
        observer: NO_OBSERVER,
      });
      parts = { store, client, bridge };
      await bridge.firstLook;
      return bridge;
    },
    async stop() {
      if (!parts) return;
      const { store, client, bridge } = parts;
      parts = undefined;
      await bridge.stop();
      await client.close();
      store.close();
    },
    async crash() {
      if (!parts) return;
      const { store, client, bridge } = parts;
      parts = undefined;
      store.close();
      await client.close();
      // Not waited for: what hangs in it hangs for ever.
      void bridge.stop();
    },
    setWritable(writable) {
      parts?.store.pragma(`query_only = ${writable ? 0 : 1}`);
    },
    triggers() {
      const store = openBridgeStore(join(folder, 'bridge.sqlite'));
      try {
        return listTriggers(store);
      } finally {
        store.close();
      }
    },
    nextComment: () => next('comment'),
    nextEdit: () => next('edit'),
    async end() {
      await story.stop();
      await forge.close();
      await rm(folder, { recursive: true });
      expect(forge.messages.unread(), 'messages nobody expected').to.deep.equal([]);
      expect(engine.started.unread(), 'builds nobody expected').to.deep.equal([]);
      expect(engine.cancelled.unread(), 'cancels nobody expected').to.deep.equal([]);
    },
  };
  return story;
}

/** Which comment of ours it is, however it is worded: its verdict, unless it is another than the one on a run. */
export function kindOf({ body }: { body: string }): string {
  const marker = / (done|answer) -->$/.exec(body)?.[1];
  if (marker) return marker === 'done' ? 'mention' : 'answer';
  if (body.includes('an earlier run')) return 'collapsed';
  return /^\S+ \*\*([a-z ]+)\*\*/.exec(body)?.[1] ?? body;
}
