import { isSignedWith } from '@cc-ci/core';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { decide } from './command.js';
import { readDelivery } from './delivery.js';
import type { ForgeUser } from './forge/schemas.js';
import type { Intake } from './intake.js';
import type { Observer } from './observer.js';
import type { SeenComment } from './triggers.js';

/** What taking webhook deliveries needs. */
export interface HookDeps {
  /** The secret that was given to the forge with the webhook. */
  secret: string;
  org: string;
  intake: Intake;
  /** The user the bridge is on the forge; undefined until the forge has said it. */
  bot: () => ForgeUser | undefined;
  /** Milliseconds since 1970, by the forge's clock. */
  now: () => number;
  observer: Observer;
}

/** Bytes of a delivery that are read. Gitea's greatest comment makes 64 KiB of it, the rest is users and repositories. */
const LARGEST_DELIVERY = 1024 * 1024;

/**
 * Older comments (milliseconds, by the forge's clock) are left to polling. A delivery comes within seconds of its
 * comment; an old one was sent again by hand, and may be from before this bridge existed: only polling knows from when
 * on it was spoken to. What polling has to find, it finds without us.
 */
const OLDEST_COMMENT_MS = 600_000;

/**
 * `POST /hook`: takes comments the forge tells of. Answers 202 once a comment is kept (or is none of ours, and says
 * why), and works on it after. Everything else is an error of the sender (400, 401, 413, 415), or, while nothing can
 * be kept or decided, ours (503): then polling finds the comment.
 */
export function addHook(app: FastifyInstance, deps: HookDeps): void {
  const keep = keepTogether(deps.intake);

  // A scope of its own: nowhere else are bodies left as they came.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer', bodyLimit: LARGEST_DELIVERY },
      (_request, body, done) => done(null, body),
    );
    scope.addHook('onRequest', async (request, reply) => {
      // Not worth reading the body for.
      if (signatureOf(request) === undefined)
        return refuse(request, reply, 401, 'the delivery is not signed');
    });
    scope.setErrorHandler<FastifyError>((error, request, reply) => {
      const { statusCode: status = 500, message } = error;
      if (status < 500) return refuse(request, reply, status, message);
      request.log.error({ err: error }, 'a webhook delivery failed');
      return reply.code(500).send({ error: 'this is a fault of the bridge; its log says more' });
    });
    scope.addHook('onResponse', async (_request, reply) =>
      deps.observer.delivered(reply.statusCode, reply.elapsedTime),
    );
    scope.post('/hook', (request, reply) => take(request, reply, deps, keep));
  });
}

async function take(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: HookDeps,
  keep: (comment: SeenComment) => Promise<void>,
): Promise<FastifyReply> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (!isSignedWith(deps.secret, body, signatureOf(request) ?? '')) {
    return refuse(request, reply, 401, 'the signature is not that of our secret');
  }
  const delivery = readDelivery(request.headers, body, deps.org);
  if ('problem' in delivery) return refuse(request, reply, 400, delivery.problem);
  if ('ignored' in delivery) return ignore(request, reply, delivery.ignored);

  const { comment, repo, pr } = delivery;
  // Not asked for here: the answer must not wait for the forge, which waits for the answer.
  const bot = deps.bot();
  if (!bot) return refuse(request, reply, 503, 'the forge has not said yet who the bot is');
  if (deps.now() - comment.created_at > OLDEST_COMMENT_MS) {
    return ignore(request, reply, 'the comment is old; polling has seen it, or will', comment.id);
  }
  const decision = decide(comment, comment.user.id, bot.id);
  const { id: commentId, created_at: createdAt } = comment;
  try {
    await keep({ commentId, repo, pr, author: comment.user.login, createdAt, decision });
  } catch (error) {
    request.log.error({ err: error, comment: commentId }, 'a webhook delivery could not be kept');
    return reply.code(503).send({ error: 'the comment could not be kept; polling will find it' });
  }
  request.log.info({ comment: commentId, repo, pr, decision }, 'webhook delivery kept');
  return reply.code(202).send({ kept: commentId });
}

/** The signature (hexadecimal) a delivery says it has, if it says one of the two ways. */
function signatureOf({ headers }: FastifyRequest): string | undefined {
  const gitea = headers['x-gitea-signature'];
  if (typeof gitea === 'string' && gitea !== '') return gitea;
  const hub = headers['x-hub-signature-256'];
  return typeof hub === 'string' && hub.startsWith('sha256=') ? hub.slice('sha256='.length) : undefined;
}

function refuse(request: FastifyRequest, reply: FastifyReply, status: number, why: string): FastifyReply {
  request.log.warn({ status, why }, 'webhook delivery refused');
  return reply.code(status).send({ error: why });
}

function ignore(request: FastifyRequest, reply: FastifyReply, why: string, comment?: number): FastifyReply {
  request.log.debug({ comment, why }, 'webhook delivery ignored');
  return reply.code(202).send({ ignored: why });
}

/**
 * Keeps comments that come at the same time in one transaction: each waits for the disk, and in a burst they would
 * wait for each other's.
 */
function keepTogether(intake: Intake): (comment: SeenComment) => Promise<void> {
  let waiting: { comment: SeenComment; kept: () => void; failed: (error: unknown) => void }[] = [];

  function flush(): void {
    const batch = waiting;
    waiting = [];
    try {
      intake.take(
        batch.map(({ comment }) => comment),
        'webhook',
      );
      for (const { kept } of batch) kept();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }

  return (comment) =>
    new Promise((kept, failed) => {
      if (waiting.push({ comment, kept, failed }) === 1) setImmediate(flush);
    });
}
