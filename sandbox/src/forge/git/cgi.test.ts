import { expect } from 'chai';
import { describe, it } from 'mocha';
import { CgiHeadError, readCgiHead } from './cgi.js';

async function* chunks(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text, 'latin1');
}

async function whole(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString('latin1');
}

describe('reading a CGI answer', () => {
  const text =
    'Status: 404 Not Found\r\nContent-Type: text/plain\r\nX-Time: 12:30\r\n\r\nbody\r\n\r\n\xff\0more';

  it('tells status, headers and body apart, wherever the chunks are cut', async () => {
    for (let cut = 0; cut <= text.length; cut++) {
      const { status, headers, body } = await readCgiHead(chunks(text.slice(0, cut), text.slice(cut)));
      expect(status).to.equal(404);
      expect(headers).to.deep.equal({ 'content-type': 'text/plain', 'x-time': '12:30' });
      expect(await whole(body)).to.equal('body\r\n\r\n\xff\0more');
    }
  });

  it('takes bare newlines, and 200 where no status is given', async () => {
    const { status, body } = await readCgiHead(chunks('Content-Type: text/plain\n\nbody'));
    expect(status).to.equal(200);
    expect(await whole(body)).to.equal('body');
  });

  it('refuses what has no head, or one without end', async () => {
    const outcome = (...texts: string[]) =>
      readCgiHead(chunks(...texts)).then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(await outcome('fatal: no repository')).to.be.instanceOf(CgiHeadError);
    expect(await outcome()).to.be.instanceOf(CgiHeadError);
    expect(await outcome(...Array<string>(20).fill('x'.repeat(8 * 1024)))).to.be.instanceOf(CgiHeadError);
  });
});
