import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { hmacSha256 } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import {
  callForge,
  comment,
  commentsOn,
  createOrganisation,
  createRecipeRepository,
  type OpenedPull,
  type Organisation,
  openPull,
  publishRecipe,
} from '@cc-ci/sandbox';
import { type RealGitea, startGitea } from '@cc-ci/sandbox/real';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { request } from 'undici';
import { freePort, startService } from '../demo/services.js';

const SECRET = 'hook-secret-of-a-test';

/** A delivery as Gitea sends it. */
interface Received {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

describe('the webhook of a real Gitea', () => {
  let dir: string;
  let gitea: RealGitea;
  let org: Organisation;
  let pull: OpenedPull;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-hook-'));
    gitea = await startGitea();
    org = await createOrganisation(gitea.url, gitea.admin, 'coop');
    const recipe = await createRecipeRepository('custom-html', join(dir, 'recipe'));
    await publishRecipe(org, 'custom-html', recipe.dir);
    pull = await openPull(org, 'custom-html', recipe.dir, 'good-change', 'Try it');
  });
  after(async () => {
    await gitea?.dispose();
    await rm(dir, { recursive: true, force: true });
  });

  /** As docs/bridge.md tells an admin to do by hand. */
  const addHook = (url: string, events: readonly string[]) =>
    callForge(org.url, org.admin, 'POST', `/orgs/${org.name}/hooks`, {
      type: 'gitea',
      active: true,
      events,
      config: { url, content_type: 'json', secret: SECRET },
    });

  it('tells the bridge of a comment that it would not have looked for', async () => {
    const port = await freePort(0);
    const url = `http://127.0.0.1:${port}`;
    const file = async (name: string, text: string) => {
      await writeFile(join(dir, name), text, { mode: 0o600 });
      return join(dir, name);
    };
    const bridge = await startService(['bridge'], {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        CC_CI_STATE_DIR: join(dir, 'state'),
        CC_CI_FORGE_URL: gitea.url,
        CC_CI_FORGE_TOKEN_FILE: await file('token', org.bot.token),
        CC_CI_HOOK_SECRET_FILE: await file('secret', SECRET),
        CC_CI_ORG: org.name,
        CC_CI_POLL_INTERVAL: '3600',
        CC_CI_BRIDGE_LISTEN: `127.0.0.1:${port}`,
      },
      logFile: join(dir, 'bridge.log'),
      health: `${url}/readyz`,
      signal: new AbortController().signal,
    });
    try {
      await addHook(`${url}/hook`, ['pull_request_comment']);
      await comment(org.url, org.stranger, pull, '!testme');
      const answer = await until(async () =>
        (await commentsOn(org.url, org.member, pull)).find(({ user }) => user.login === org.bot.login),
      );
      expect(answer.body).to.include('**not allowed**');
      const metrics = await (await request(`${url}/metrics`)).body.text();
      expect(metrics).to.match(/^cc_ci_comments_total\{[^}]*via="webhook"[^}]*\} 1$/m);
    } finally {
      await bridge.stop();
    }
  });

  it('sends what the tests of the bridge take for a delivery of Gitea', async () => {
    const received: Received[] = [];
    const server = createServer(async (incoming, response) => {
      received.push({ headers: incoming.headers, body: await buffer(incoming) });
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      if (address === null || typeof address === 'string') return expect.fail('no address');
      await addHook(`http://127.0.0.1:${address.port}/`, ['issue_comment', 'pull_request_comment']);
      const id = await comment(org.url, org.member, pull, 'looks good');
      const [delivery = expect.fail('none')] = await until(() => received.length > 0 && received);
      const signature = hmacSha256(delivery.body, SECRET);
      expect(delivery.headers).to.include({
        'content-type': 'application/json',
        'x-gitea-event': 'issue_comment',
        'x-gitea-event-type': 'pull_request_comment',
        'x-gitea-signature': signature,
        'x-hub-signature-256': `sha256=${signature}`,
      });
      const payload = JSON.parse(String(delivery.body));
      expect(Object.keys(payload)).to.include.members([
        'action',
        'comment',
        'issue',
        'is_pull',
        'repository',
      ]);
      expect(payload).to.include({ action: 'created', is_pull: true });
      expect(payload.comment).to.include({ id, body: 'looks good' });
      expect(payload.issue).to.include({ number: pull.number });
      expect(payload.repository).to.include({ full_name: pull.repo });
      // One delivery, although both kinds of comment were asked for.
      expect(received).to.have.length(1);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
