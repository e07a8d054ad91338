import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher, request } from 'undici';

/** What an edge answered. */
export interface Answer {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  text: string;
}

/** A client that finds every name at the edge under test. */
export interface EdgeClient {
  agent: Agent;
  /** @param target `<method> <url>`, or only the URL for a GET */
  ask(target: string, init?: Partial<Dispatcher.RequestOptions>): Promise<Answer>;
  close(): Promise<void>;
}

/** @param ca PEM of the authority to trust; undefined: any certificate will do */
export function edgeClient(address: string, ca: string | undefined): EdgeClient {
  const lookup: LookupFunction = (_name, options, done) =>
    options.all ? done(null, [{ address, family: 4 }]) : done(null, address, 4);
  const agent = new Agent({ connect: { lookup, ...(ca ? { ca } : { rejectUnauthorized: false }) } });
  return {
    agent,
    close: () => agent.destroy(),
    async ask(target, init = {}) {
      const [method = 'GET', url = ''] = target.includes(' ') ? target.split(' ') : ['GET', target];
      const answer = await request(url, { ...init, method, dispatcher: agent });
      return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
    },
  };
}
