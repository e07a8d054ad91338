import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A registry on this machine; Docker speaks plain HTTP to whatever has an address in 127.0.0.0/8. */
export interface FakeRegistry {
  /** `127.0.0.1:<port>`, what its images' names begin with. */
  host: string;
  /** Every request for a manifest, as the path below `/v2/`. */
  asked: string[];
  close(): Promise<void>;
}

/** How it answers for one repository, instead of giving out its image. */
export type Answer = (response: ServerResponse, give: () => void) => void;

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

/**
 * Starts a registry (distribution's HTTP API v2) with one tiny image, under every repository and tag that `answers`
 * does not name.
 * @param text what the image's only file says
 * @param login the one user who is given anything
 */
export async function startFakeRegistry(
  text: string,
  answers: Record<string, Answer> = {},
  login?: { user: string; password: string },
): Promise<FakeRegistry> {
  const { manifest, blobs } = tinyImage(text);
  const basic = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  const asked: string[] = [];
  const giveManifest = (response: ServerResponse) => {
    response.writeHead(200, {
      'content-type': MANIFEST,
      'content-length': manifest.length,
      'docker-content-digest': digestOf(manifest),
    });
    response.end(manifest);
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    const [, repository = '', kind, reference = ''] =
      /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
    if (basic !== undefined && request.headers.authorization !== basic) {
      response.setHeader('www-authenticate', 'Basic realm="fake"');
      return refuse(response, 401, 'UNAUTHORIZED', 'authentication required');
    }
    if (path === '/v2/') return void response.end('{}');
    if (kind === 'manifests') asked.push(path.slice('/v2/'.length));
    const answer = answers[repository];
    if (answer && kind === 'manifests') return answer(response, () => giveManifest(response));
    if (kind === 'manifests' && (!reference.startsWith('sha256:') || reference === digestOf(manifest))) {
      return giveManifest(response);
    }
    const blob = kind === 'blobs' ? blobs.get(reference) : undefined;
    if (blob) return void response.end(blob);
    refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A registry's error, in the form of the API. */
export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

/** An image of one layer with one file. */
function tinyImage(text: string): { manifest: Buffer; blobs: Map<string, Buffer> } {
  const layer = tarOf('hello.txt', text);
  const packed = gzipSync(layer);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Cmd: ['/hello.txt'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        size: config.length,
        digest: digestOf(config),
      },
      layers: [
        {
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
          size: packed.length,
          digest: digestOf(packed),
        },
      ],
    }),
  );
  const blobs = new Map([config, packed].map((blob) => [digestOf(blob), blob]));
  return { manifest, blobs };
}

/** The digest by which a registry knows some bytes. */
export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A tar archive of one file (POSIX ustar). */
function tarOf(name: string, text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.alloc(512);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  header.write(name, 0);
  header.write(octal(0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}
