import { createLogger, hmacSha256, type Store } from '@cc-ci/core';
import { expect } from 'chai';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { buildBridgeApp } from './app.js';
import { createIntake } from './intake.js';
import { NO_OBSERVER } from './observer.js';
import { openBridgeStore } from './store.js';
import { commentPayload, deliveryHeaders } from './testing/deliveries.js';
import { brokenBytes, brokenJson, type Chance, commentBody, fuzzInTurn, nastyText } from './testing/fuzz.js';
import { PLAIN_RULES } from './testing/rules.js';
import { listTriggers, type Trigger } from './triggers.js';

const SEED = 20_261_121;
const SECRET = 'hook-secret-7710';
const ORG = 'coop-cloud';
const BOT_ID = 2;
const NOW = Date.parse('2026-11-21T08:30:46Z');
const fine = () => ({ ok: true, detail: '' });

/** What is sent, and whether its signature is that of its body. */
interface Sent {
  body: Buffer;
  headers: Record<string, string>;
  signed: boolean;
}

/** A delivery: mostly a comment on a pull request, signed; otherwise something of it is not as it must be. */
function someDelivery(chance: Chance): Sent {
  const action = chance.oneIn(8) ? chance.one(['edited', 'deleted', 'CREATED', 'created ']) : 'created';
  const author = chance.oneIn(8) ? { id: BOT_ID, login: 'bot' } : { id: 3, login: 'alice' };
  const text = chance.oneIn(3) ? '!testme' : commentBody(chance);
  const payload = commentPayload({
    action,
    comment: { id: 10 + chance.below(2 ** 40), user: author, body: text },
    ...(chance.oneIn(10) ? { is_pull: chance.one([false, null, undefined]) } : {}),
    ...(chance.oneIn(10) ? { issue: { number: 1 } } : {}),
    ...(chance.oneIn(10)
      ? { repo: chance.one([`${ORG}/wordpress`, `${ORG}2/x`, 'alice/x', `x/${ORG}`, ORG]) }
      : {}),
  });
  const whole = chance.oneIn(2) ? payload : brokenJson(chance, payload);
  const body = brokenBytes(chance, whole);
  const headers = deliveryHeaders(body, SECRET);
  const sent = { body, headers, signed: true };
  if (chance.oneIn(20))
    headers['content-type'] = chance.one(['text/plain', 'application/x-www-form-urlencoded']);
  if (chance.oneIn(20)) headers['x-gitea-event-type'] = chance.one(['issue_assign', 'push', 'issue_comment']);
  return chance.oneIn(5) ? wronglySigned(chance, sent) : sent;
}

function wronglySigned(chance: Chance, { body, headers }: Sent): Sent {
  delete headers['x-hub-signature-256'];
  const good = headers['x-gitea-signature'] ?? '';
  const wrong = chance.one([
    () => hmacSha256(body, 'another secret'),
    () => hmacSha256(Buffer.concat([body, Buffer.from(' ')]), SECRET),
    () => good.slice(0, -1),
    () => `${good}0`,
    () => '0'.repeat(64),
    () => Buffer.from(nastyText(chance)).toString('base64').slice(0, 200),
  ])();
  if (chance.oneIn(6)) delete headers['x-gitea-signature'];
  else headers['x-gitea-signature'] = wrong;
  return { body, headers, signed: false };
}

type Json = Record<string, unknown>;
const at = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Json)[key] : undefined;

/** What must hold of whatever starts a run, read from the bytes in another way than the bridge reads them. */
function mayTrigger({ body, headers, signed }: Sent, trigger: Trigger): string | undefined {
  const text = body.toString();
  if (!signed) return 'it is not signed';
  if (headers['content-type'] !== 'application/json') return 'it is not JSON';
  if (!Buffer.from(text).equals(body)) return 'its bytes are no text';
  const event = headers['x-gitea-event-type'];
  if (event !== 'pull_request_comment' && event !== 'issue_comment') return 'it is another event';
  const value: unknown = JSON.parse(text);
  const comment = at(value, 'comment');
  const pull = at(value, 'is_pull') ?? Boolean(at(at(value, 'issue'), 'pull_request'));
  if (at(value, 'action') !== 'created' || pull !== true) return 'no comment was created on a pull request';
  if (at(at(comment, 'user'), 'id') === BOT_ID) return 'the bot wrote it';
  const commands = { '!testme': 'testme', '!testme stop': 'stop', '!testme status': 'status' };
  if (at(commands, String(at(comment, 'body')).trim()) !== trigger.command) return 'it is no such command';
  const times = ['created_at', 'updated_at'].map((key) => Date.parse(String(at(comment, key))));
  if (Number(times[1]) - Number(times[0]) > 1_000) return 'it was edited';
  const name = String(at(at(value, 'repository'), 'full_name'));
  if (!name.startsWith(`${ORG}/`) || name !== trigger.repo) return 'it is in another repository';
  if (at(comment, 'id') !== trigger.commentId) return 'it is another comment';
  if (at(at(value, 'issue'), 'number') !== trigger.pr) return 'it is on another pull request';
  if (at(at(comment, 'user'), 'login') !== trigger.author) return 'somebody else wrote it';
  return undefined;
}

describe('20,000 webhook deliveries', () => {
  let store: Store;
  let app: FastifyInstance;
  let rings = 0;

  beforeEach(() => {
    store = openBridgeStore(':memory:');
    const logger = createLogger('bridge', 'silent');
    const observer = NO_OBSERVER;
    const intake = createIntake({ store, logger, observer, rules: PLAIN_RULES }, () => void rings++);
    const hook = {
      secret: SECRET,
      org: ORG,
      intake,
      bot: () => ({ id: BOT_ID, login: 'bot' }),
      now: () => NOW,
      observer,
    };
    app = buildBridgeApp({ checks: { forge: fine, database: fine, engine: fine }, hook });
  });
  afterEach(async () => {
    await app.close();
    store.close();
  });

  /** The trigger that came of a delivery, taken out again so that the next one is new whatever its id is. */
  function takeTrigger(): Trigger | undefined {
    const [trigger, ...more] = listTriggers(store);
    expect(more).to.deep.equal([]);
    store.exec('DELETE FROM triggers; DELETE FROM inbox');
    return trigger;
  }

  it('are answered, each as it must be, and start nothing that is not asked for', async () => {
    const answers = new Map<number, number>();
    const started = new Map<string, number>();
    await fuzzInTurn(SEED, 20_000, async (chance) => {
      const sent = someDelivery(chance);
      const before = rings;
      const { statusCode } = await app.inject({
        method: 'POST',
        url: '/hook',
        payload: sent.body,
        headers: sent.headers,
      });
      answers.set(statusCode, (answers.get(statusCode) ?? 0) + 1);
      expect([202, 400, 401, 413, 415]).to.include(statusCode);
      if (!sent.signed) expect(statusCode).to.be.oneOf([401, 415]);
      const trigger = takeTrigger();
      expect(rings - before).to.equal(trigger ? 1 : 0);
      if (!trigger) return;
      expect(statusCode).to.equal(202);
      const why = mayTrigger(sent, trigger);
      if (why) expect.fail(`${sent.body} started something, although ${why}`);
      started.set(trigger.command, (started.get(trigger.command) ?? 0) + 1);
    });
    // Enough of each, or the above says nothing.
    for (const status of [202, 400, 401, 415]) expect(answers.get(status), String(status)).to.be.above(300);
    expect(started.get('testme')).to.be.above(1_500);
    for (const command of ['stop', 'status']) expect(started.get(command), command).to.be.above(50);
    // What is unharmed is taken.
    const body = JSON.stringify(commentPayload());
    const headers = deliveryHeaders(body, SECRET);
    const { statusCode } = await app.inject({ method: 'POST', url: '/hook', payload: body, headers });
    expect([statusCode, takeTrigger()?.command]).to.deep.equal([202, 'testme']);
  }).timeout(300_000);
});
