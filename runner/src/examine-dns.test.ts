import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { examineDns } from './examine-dns.js';

const NO_SUCH_NAME = 3;
const SERVFAIL = 2;

/** A resolver that answers every question alike: an address, or a code (RFC 1035, 4.1). */
async function withResolver<T>(
  answer: { address?: number[]; code?: number } | 'silence',
  use: (server: string, asked: string[]) => Promise<T>,
): Promise<T> {
  const asked: string[] = [];
  const socket = createSocket('udp4', (query, from) => {
    let end = 12;
    const labels: string[] = [];
    for (let length = query[end] ?? 0; length > 0; length = query[end] ?? 0) {
      labels.push(query.toString('latin1', end + 1, end + 1 + length));
      end += 1 + length;
    }
    asked.push(labels.join('.'));
    if (answer === 'silence') return;
    const question = query.subarray(12, end + 5);
    const isA = query.readUInt16BE(end + 1) === 1;
    const found = answer.address && isA ? answer.address : undefined;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (answer.code ?? 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found ? 1 : 0, 6);
    const record = found ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...found]) : Buffer.alloc(0);
    socket.send(Buffer.concat([header, question, record]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  try {
    return await use(`127.0.0.1:${socket.address().port}`, asked);
  } finally {
    socket.close();
  }
}

describe('a look at DNS', () => {
  const zone = 'ci.example.org';

  it('asks for a name that nobody has asked for, and tells where it leads', async () => {
    await withResolver({ address: [192, 0, 2, 7] }, async (server, asked) => {
      const first = await examineDns({ zone, edgeAddress: undefined }, [server]);
      expect(first).to.deep.equal({ state: 'ok', part: 'dns', said: '*.ci.example.org is at 192.0.2.7' });
      await examineDns({ zone, edgeAddress: undefined }, [server]);
      for (const name of asked) expect(name).to.match(/^cc-ci-doctor-[0-9a-f]{8}\.ci\.example\.org$/);
      expect(new Set(asked).size).to.equal(2);
    });
  });

  it('says whose job a missing record is', async () => {
    const found = await withResolver({ code: NO_SUCH_NAME }, (server) =>
      examineDns({ zone, edgeAddress: undefined }, [server]),
    );
    expect(found.state).to.equal('fail');
    expect(found.todo).to.match(/^the operator's job: a DNS record \*\.ci\.example\.org/);
  });

  it('judges nothing where the resolver fails or is silent', async () => {
    for (const answer of [{ code: SERVFAIL }, 'silence'] as const) {
      const found = await withResolver(answer, (server) =>
        examineDns({ zone, edgeAddress: undefined }, [server]),
      );
      expect(found.state).to.equal('unknown');
      expect(found.said).to.match(/did not answer for cc-ci-doctor/);
    }
  });

  it('asks nobody where apps are not found by DNS', async () => {
    const edgeAddress = { host: '127.0.0.1', port: 443 };
    await withResolver('silence', async (server, asked) => {
      expect((await examineDns({ zone, edgeAddress }, [server])).state).to.equal('ok');
      expect(asked).to.deep.equal([]);
    });
  });
});
