import { expect } from 'chai';
import { describe, it } from 'mocha';
import { serverSentEvents } from './events.js';

describe('serverSentEvents', () => {
  it("reads Drone's stream, wherever it is cut", async () => {
    const text = ': ping\n\ndata: {"pos":0,"out":"ä\\n"}\n\n\n: ping\n\nevent: error\ndata: eof\n\n';
    const bytes = new TextEncoder().encode(text);
    for (let size = 1; size <= bytes.length; size += 3) {
      const chunks = async function* () {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      };
      const seen = [];
      for await (const event of serverSentEvents(chunks())) seen.push(event);
      expect(seen, `pieces of ${size}`).to.deep.equal([
        { event: 'message', data: '{"pos":0,"out":"ä\\n"}' },
        { event: 'error', data: 'eof' },
      ]);
    }
  });
});
