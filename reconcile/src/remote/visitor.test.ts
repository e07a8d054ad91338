import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { hiddenFields, newVisitor } from './visitor.js';

describe('a visitor who fills in forms', () => {
  it('finds hidden fields in any order of attributes, with what is escaped', () => {
    const text = `<input type="hidden" name="_csrf" value="a&#43;b&amp;c">
      <input name="state" type="hidden" value=""><input type="text" name="user_name" value="x">`;
    expect(hiddenFields({ text })).to.deep.equal({ _csrf: 'a+b&c', state: '' });
  });

  it('keeps cookies, each for its own server, and is not led on by itself', async () => {
    const seen: string[] = [];
    const answer: RequestListener = (request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.cookie ?? ''}`.trim());
      response.setHeader('set-cookie', ['a=1; Path=/', 'b=2; HttpOnly']);
      response.writeHead(303, { location: '/next' }).end();
    };
    const servers = [createServer(answer), createServer(answer)];
    try {
      const [url, other] = await Promise.all(servers.map(listen));
      const visitor = newVisitor();
      expect((await visitor.get(`${url}/one`)).location).to.equal(`${url}/next`);
      await visitor.post(`${url}/two`, { name: 'x y' });
      await visitor.get(`${other}/three`);
      expect(seen).to.deep.equal(['GET /one', 'POST /two a=1; b=2', 'GET /three']);
    } finally {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    }
  });
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
