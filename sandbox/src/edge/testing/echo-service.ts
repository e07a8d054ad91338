import { setTimeout as delay } from 'node:timers/promises';
import {
  connectDocker,
  disconnectDocker,
  listContainers,
  listNetworks,
  listVolumes,
  removeVolume,
  run,
} from '@cc-ci/core';
import { stringify } from 'yaml';

/**
 * A server (Python, standard library only) that shows what arrives at a task. It streams, counts, and speaks
 * websocket; `/hold` streams until its client is gone, which `/held` then tells.
 */
const ECHO_SERVER = `
import base64, hashlib, json, os, signal, socket, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
released, gone = threading.Event(), threading.Event()

class Echo(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *_): pass

    def answer(self, value, headers=()):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        for name, text in headers: self.send_header(name, text)
        self.end_headers()
        if self.command != 'HEAD': self.wfile.write(body)

    def chunk(self, data):
        self.wfile.write(b'%x\\r\\n%s\\r\\n' % (len(data), data))

    def start_chunks(self):
        self.send_response(200)
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()

    def body(self):
        if 'chunked' in self.headers.get('Transfer-Encoding', ''):
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            yield self.rfile.read(int(self.headers.get('Content-Length', '0')))

    def do_GET(self):
        if self.headers.get('Upgrade') == 'websocket': return self.websocket()
        if self.path == '/stream':
            self.start_chunks()
            self.chunk(b'first')
            released.wait(30)
            self.chunk(b'second')
            return self.chunk(b'')
        if self.path == '/release': released.set()
        if self.path == '/hold':
            self.start_chunks()
            try:
                while True:
                    self.chunk(b'.')
                    time.sleep(0.02)
            except OSError:
                gone.set()
            self.close_connection = True
            return
        if self.path == '/held': return self.answer(gone.is_set())
        if self.path == '/cut':
            self.send_response(200)
            self.send_header('Content-Length', '1000')
            self.end_headers()
            self.wfile.write(b'some')
            self.close_connection = True
            return
        self.answer({
            'name': os.environ.get('NAME'), 'task': socket.gethostname(), 'method': self.command, 'path': self.path,
            'headers': {name.lower(): value for name, value in self.headers.items()},
        }, [('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2'), ('Connection', 'X-Inner'), ('X-Inner', 'secret')])
    do_HEAD = do_PROPFIND = do_GET

    def do_POST(self):
        digest, size = hashlib.sha256(), 0
        for part in self.body():
            digest.update(part)
            size += len(part)
        self.answer({'size': size, 'sha256': digest.hexdigest(), 'type': self.headers.get('Content-Type')})

    def websocket(self):
        key = self.headers['Sec-WebSocket-Key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
        self.send_response(101)
        for name, value in (('Upgrade', 'websocket'), ('Connection', 'Upgrade'),
                            ('Sec-WebSocket-Accept', base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        while frame := self.rfile.read(2):
            mask, data = self.rfile.read(4), self.rfile.read(frame[1] & 127)
            data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
            self.wfile.write(bytes([frame[0], len(data)]) + data)
            if frame[0] & 15 == 8: return

ThreadingHTTPServer(('0.0.0.0', 8000), Echo).serve_forever()
`;

/** How a service of a test stack differs from the plain one. */
export interface EchoService {
  /** Deploy labels. */
  labels: Record<string, string>;
  replicas?: number;
  /** Default: the edge's network. */
  networks?: string[];
  /** Healthy only while /tmp/healthy is there. */
  checked?: boolean;
  environment?: Record<string, string>;
}

/** Labels of a router by which the edge finds the echo server. */
export function routerLabels(router: string, rule: string, port = 8000): Record<string, string> {
  return {
    'traefik.enable': 'true',
    [`traefik.http.services.${router}.loadbalancer.server.port`]: String(port),
    [`traefik.http.routers.${router}.rule`]: rule,
    [`traefik.http.routers.${router}.entrypoints`]: 'web-secure',
    [`traefik.http.routers.${router}.tls.certresolver`]: '',
  };
}

/** Deploys (or updates) a stack of echo servers. */
export async function deployEcho(
  stack: string,
  network: string,
  services: Record<string, EchoService>,
): Promise<void> {
  const compose = {
    version: '3.8',
    services: Object.fromEntries(
      Object.entries(services).map(([name, service]) => [name, echoService(name, service, network)]),
    ),
    networks: { [network]: { external: true }, inner: {} },
  };
  await run(
    'docker',
    ['stack', 'deploy', '--detach=true', '--resolve-image', 'never', '--compose-file', '-', stack],
    {
      input: stringify(compose),
      timeoutMs: 60_000,
    },
  );
}

function echoService(name: string, service: EchoService, network: string) {
  return {
    image: 'radicale:3.1.8',
    command: ['python3', '-c', ECHO_SERVER.replaceAll('$', '$$$$')],
    environment: { NAME: name, ...service.environment },
    networks: service.networks ?? [network],
    stop_grace_period: '1s',
    ...(service.checked
      ? // Patient: the swarm replaces a task that it takes for unhealthy.
        { healthcheck: { test: ['CMD', 'test', '-e', '/tmp/healthy'], interval: '100ms', retries: 10_000 } }
      : {}),
    deploy: { replicas: service.replicas ?? 1, labels: service.labels, endpoint_mode: 'dnsrr' },
  };
}

/** Makes the one task of a `checked` service healthy, once it has started. */
export async function makeHealthy(stack: string, service: string): Promise<void> {
  const docker = connectDocker();
  try {
    const id = await eventually(async () => {
      const containers = await listContainers(docker, stack);
      const found = containers.find((it) => it.service === `${stack}_${service}` && it.state === 'running');
      if (!found) throw new Error(`${stack}_${service} has no running container`);
      return found.id;
    });
    await run('docker', ['exec', id, 'touch', '/tmp/healthy'], { timeoutMs: 30_000 });
  } finally {
    await disconnectDocker(docker);
  }
}

/** Removes a stack and waits until nothing is left of it. */
export async function removeStack(stack: string): Promise<void> {
  const docker = connectDocker();
  try {
    await run('docker', ['stack', 'rm', stack], { timeoutMs: 60_000 });
    await eventually(async () => {
      const left = [...(await listContainers(docker, stack)), ...(await listNetworks(docker, `${stack}_`))];
      if (left.length > 0) throw new Error(`${stack} still has ${left.length} containers and networks`);
    }, 60_000);
    for (const volume of await listVolumes(docker, `${stack}_`)) await removeVolume(docker, volume);
  } finally {
    await disconnectDocker(docker);
  }
}

/** Calls `check` until it does not throw; then the last error is thrown. */
export async function eventually<T>(check: () => Promise<T>, timeoutMs = 30_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(20);
  }
}
