import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a stand-in Docker engine knows: just enough of its API for an edge. */
export interface FakeEngine {
  /** For DOCKER_HOST. */
  host: string;
  /** Services by id; `task` is what the swarm wants running. */
  services: { id: string; labels: Record<string, string> }[];
  containers: { id: string; task: string; service: string; address: string }[];
  wantedTasks: string[];
  networks: string[];
  inSwarm: boolean;
  /** Answers everything but the event stream with 500. */
  failing: boolean;
  /** How often it has done so. */
  failures: number;
  /** `since` of each subscription to the events, in the order in which they came. */
  subscriptions: string[];
  emit(action: string): void;
  /** Cuts the event streams, as an engine that restarts does. */
  cutEvents(): void;
  close(): Promise<void>;
}

/** Starts a stand-in engine on a free port. */
export async function startFakeEngine(): Promise<FakeEngine> {
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://engine');
    if (url.pathname === '/events') {
      engine.subscriptions.push(url.searchParams.get('since') ?? '');
      streams.add(response);
      response.on('close', () => streams.delete(response));
      response.flushHeaders();
      return;
    }
    if (engine.failing) engine.failures++;
    const answer = engine.failing ? undefined : answerTo(engine, url.pathname);
    response.writeHead(engine.failing ? 500 : answer === undefined ? 404 : 200);
    response.end(JSON.stringify(answer ?? { message: 'no' }));
  });
  const engine: FakeEngine = {
    host: '',
    services: [],
    containers: [],
    wantedTasks: [],
    networks: ['proxy'],
    inSwarm: true,
    failing: false,
    failures: 0,
    subscriptions: [],
    emit(action) {
      const event = { Type: 'container', Action: action, Actor: { ID: 'x', Attributes: {} } };
      for (const stream of streams) stream.write(`${JSON.stringify(event)}\n`);
    },
    cutEvents() {
      for (const stream of streams) stream.destroy();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  engine.host = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return engine;
}

function answerTo(engine: FakeEngine, path: string): unknown {
  if (path === '/networks') return engine.networks.map((name) => ({ Id: name, Name: name, Labels: {} }));
  if (path === '/tasks') return engine.wantedTasks.map((id) => ({ ID: id }));
  if (path === '/services') {
    return engine.services.map(({ id, labels }) => ({
      ID: id,
      CreatedAt: '',
      UpdatedAt: '',
      Spec: { Name: id, Labels: labels, TaskTemplate: { ContainerSpec: { Image: 'x' } }, Mode: {} },
    }));
  }
  if (path === '/containers/json') {
    return engine.containers.map(({ id, task, service }) => ({
      Id: id,
      Names: [],
      State: 'running',
      Labels: { 'com.docker.swarm.task.id': task, 'com.docker.swarm.service.id': service },
    }));
  }
  if (path === '/networks/docker_gwbridge' && engine.inSwarm) {
    const addresses = engine.containers.map(({ id, address }) => [id, { IPv4Address: `${address}/16` }]);
    return { Containers: Object.fromEntries(addresses) };
  }
  return undefined;
}
