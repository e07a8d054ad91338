import { CcCiError } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Reply, type StandInServer, standInServer } from '../testing/http.js';
import { takesClient, writeApplication } from './gitea.js';

const BOT = { login: 'bot', password: 'a-password-nobody-may-see' };

describe('what is asked of Gitea', () => {
  let server: StandInServer;
  let answer: Reply;
  beforeEach(async () => {
    server = await standInServer({
      'POST /login/oauth/access_token': () => answer,
      'POST /api/v1/user/applications/oauth2': () => answer,
    });
    await server.start();
  });
  afterEach(() => server.stop());
  const refusal = async (work: Promise<unknown>): Promise<CcCiError> => {
    const error = await work.then(
      () => expect.fail('it did not fail'),
      (it: unknown) => it,
    );
    if (!(error instanceof CcCiError)) throw error;
    return error;
  };
  const client = { id: 'client', secret: 'secret-nobody-may-see' };

  it('tells a client that is refused from one whose refresh token is', async () => {
    answer = { status: 400, body: { error: 'invalid_client' } };
    expect(await takesClient(server.url, client)).to.equal(false);
    answer = { status: 400, body: { error: 'unauthorized_client' } };
    expect(await takesClient(server.url, client)).to.equal(true);
  });

  it('takes nothing else for an answer, so that no secret is thrown away for it', async () => {
    const others: Reply[] = [
      { status: 404, body: { message: 'not found' } },
      { status: 502, body: '<html>bad gateway</html>' },
      { status: 500, body: { error: 'server_error' } },
      { status: 200, body: '' },
    ];
    for (answer of others) {
      const error = await refusal(takesClient(server.url, client));
      expect(error.message).to.include('does not tell whether it takes an OAuth client');
    }
    await server.stop();
    expect((await refusal(takesClient(server.url, client))).message).to.include('does not answer');
  });

  it('writes nothing into an environment file that is more than a word, and shows no secret', async () => {
    const wanted = { name: 'Drone', redirectUri: 'https://drone.example.org/login', skipsConsent: false };
    const evil = 'gto_nobody-may-see\nLD_PRELOAD=/evil.so';
    answer = { status: 201, body: { client_id: 'client', client_secret: evil } };
    const { message, hint } = await refusal(writeApplication(server.url, BOT, wanted));
    expect(message).to.include('client_secret');
    expect(`${message} ${hint}`).to.not.include('nobody-may-see');
  });
});
