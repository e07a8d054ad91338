import { InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type AppServer, startServer } from '../testing/app-server.js';
import { factsOf } from '../testing/playwright.js';
import { type HttpClient, httpClient } from './http.js';

describe('HTTP to the app under test', () => {
  let own: AppServer;
  let other: AppServer;
  let http: HttpClient;

  beforeEach(async () => {
    own = await startServer((_, response) => response.end('own'));
    other = await startServer((_, response) => response.end('other'));
    http = httpClient(factsOf(own.port));
  });
  afterEach(async () => {
    await http.close();
    await own.close();
    await other.close();
  });

  it('reaches it by path, by its name and by names below it', async () => {
    for (const path of ['/a', 'http://app.ci.test/a', 'http://login.app.ci.test/a', 'http://APP.ci.test/a'])
      expect(await (await http.get(path)).text()).to.equal('own');
    expect(own.asked.map(({ host }) => host)).to.deep.equal([
      'app.ci.test',
      'app.ci.test',
      'login.app.ci.test',
      'app.ci.test',
    ]);
  });

  it('refuses everybody else before anything is sent', async () => {
    const elsewhere = [
      `http://127.0.0.1:${other.port}/`,
      `http://localhost:${other.port}/`,
      `//127.0.0.1:${other.port}/`,
      'http://ci.test/',
      'http://other.ci.test/',
      'http://notapp.ci.test/',
      'http://app.ci.test.evil.test/',
      `http://app.ci.test@127.0.0.1:${other.port}/`,
    ];
    for (const url of elsewhere) {
      const error = await http.request('POST', url, { body: 'x' }).then(
        () => expect.fail(`${url} was asked`),
        (thrown: unknown) => thrown,
      );
      expect(error, url).to.be.instanceOf(InputError);
      expect((error as InputError).message).to.include('is not the app under test');
      expect((error as InputError).hint).to.include('app.ci.test');
    }
    expect(other.asked).to.deep.equal([]);
    expect(own.asked).to.deep.equal([]);
  });
});
