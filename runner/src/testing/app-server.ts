import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on this machine that stands in for an app, or for somebody else's server. */
export interface AppServer {
  port: number;
  server: Server;
  /** Paths that were asked for, with the name that was asked. */
  asked: { host: string | undefined; path: string | undefined }[];
  close(): Promise<void>;
}

export async function startServer(answer: RequestListener): Promise<AppServer> {
  const asked: AppServer['asked'] = [];
  const server = createServer((request, response) => {
    asked.push({ host: request.headers.host, path: request.url });
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
