import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { BuildState, DroneStandIn } from './drone.js';

/** A Drone that listens. */
export interface DroneServer {
  url: string;
  port: number;
  /** Ends open connections too; builds go on, as they do when Drone's server is restarted. */
  close(): Promise<void>;
}

/** Serves Drone's API (the part DroneEngine uses) on loopback until closed. @param port 0: any free one */
export async function startDrone(drone: DroneStandIn, port = 0): Promise<DroneServer> {
  const app = buildDroneApp(drone);
  await app.listen({ host: '127.0.0.1', port });
  const address = app.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    async close() {
      drone.loseLiveLogs();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

interface Place {
  Params: { owner: string; name: string; number: string; stage: string; step: string };
  Querystring: Record<string, string>;
}

function buildDroneApp(drone: DroneStandIn): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true });
  const { token, repository, timeoutMinutes = 60 } = drone.options;
  const faultOf = (when: 'before' | 'after', request: FastifyRequest) =>
    drone.faults.take(when, request.method, request.url.split('?', 1)[0] ?? '');
  app.addHook('onRequest', async (request, reply) => {
    drone.requests.push(`${request.method} ${request.url.split('?', 1)[0]}`);
    if (request.headers.authorization !== `Bearer ${token}`) {
      return reply.code(401).send({ message: 'Unauthorized' });
    }
    const fault = faultOf('before', request);
    if (!fault) return;
    if (fault.answer !== 'close') return reply.code(fault.answer).send({ message: 'a fault' });
    reply.hijack();
    reply.raw.destroy();
  });
  // Carried out, and the answer gets lost.
  app.addHook('onSend', async (request, reply, payload) => {
    const fault = faultOf('after', request);
    if (!fault) return payload;
    if (fault.answer === 'close') reply.raw.destroy();
    else reply.code(fault.answer).removeHeader('content-length');
    return fault.answer === 'close' ? payload : '{"message":"a fault"}';
  });

  const found = ({ owner, name, number }: Place['Params']): BuildState | undefined =>
    `${owner}/${name}` === repository ? drone.build(Number(number)) : undefined;
  const stepOf = (params: Place['Params']) =>
    found(params)
      ?.stages.find(({ number }) => number === Number(params.stage))
      ?.steps.find(({ number }) => number === Number(params.step));
  const missing = (reply: FastifyReply) => reply.code(404).send({ message: 'Not Found' });

  app.get<Place>('/api/repos/:owner/:name', async ({ params }, reply) => {
    const slug = `${params.owner}/${params.name}`;
    return slug === repository ? { slug, active: true, timeout: timeoutMinutes } : missing(reply);
  });
  app.get<Place>('/api/repos/:owner/:name/builds', async ({ params, query }, reply) => {
    if (`${params.owner}/${params.name}` !== repository) return missing(reply);
    const asked = Number(query.per_page);
    const limit = asked >= 1 && asked <= 100 ? asked : 25;
    const from = (Math.max(1, Number(query.page) || 1) - 1) * limit;
    return drone
      .builds()
      .slice(from, from + limit)
      .map(({ stages: _, ...build }) => build);
  });
  app.post<Place>('/api/repos/:owner/:name/builds', async ({ params, query }, reply) => {
    if (`${params.owner}/${params.name}` !== repository) return missing(reply);
    const { branch = 'main', access_token: _, commit: __, ...given } = query;
    reply.type('application/json');
    return JSON.stringify(drone.create(branch, given) ?? null);
  });
  app.get<Place>('/api/repos/:owner/:name/builds/:number', async ({ params }, reply) => {
    return found(params) ?? missing(reply);
  });
  app.delete<Place>('/api/repos/:owner/:name/builds/:number', async ({ params }, reply) => {
    const build = found(params);
    return build ? drone.cancel(build.number) : missing(reply);
  });
  app.get<Place>('/api/repos/:owner/:name/builds/:number/logs/:stage/:step', async ({ params }, reply) => {
    const step = stepOf(params);
    return (step && drone.log(step.id)) ?? missing(reply);
  });
  app.get<Place>('/api/stream/:owner/:name/:number/:stage/:step', async (request, reply) => {
    const step = stepOf(request.params);
    if (!step) return missing(reply);
    reply.hijack();
    const gone = new AbortController();
    reply.raw.on('close', () => gone.abort());
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    reply.raw.write(': ping\n\n');
    const live = drone.live(step.id);
    if (live) {
      for await (const line of live.tail(gone.signal)) reply.raw.write(`data: ${JSON.stringify(line)}\n\n\n`);
    }
    reply.raw.end('event: error\ndata: eof\n\n');
  });
  return app;
}
