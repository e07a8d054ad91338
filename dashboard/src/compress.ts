import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { brotliCompress, constants, createGzip, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';

const COMPRESSIBLE = /^(?:text\/|application\/(?:json|javascript|xml|atom\+xml)|image\/svg\+xml)/;
/** Smaller answers gain nothing. */
const SMALLEST = 1_024;
/** Larger ones are not held in memory, and pass through gzip as they are read. */
const LARGEST_HELD = 4 * 1024 * 1024;
/** Bytes of compressed pages that are kept for the next reader. */
const KEPT_BYTES = 16 * 1024 * 1024;
export const BROTLI_QUALITY = 5;

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

/**
 * Compresses text for browsers that want it. Weak ETags stay as they are: the text is the same whatever it is packed in
 * (RFC 9110, 8.8.1). Parts of a file (ranges) are sent as they are.
 */
export function addCompression(app: FastifyInstance): void {
  const kept = createCache(KEPT_BYTES);
  app.addHook('onSend', async (request, reply, payload) => {
    const type = String(reply.getHeader('content-type') ?? '');
    if (reply.statusCode !== 200 || !COMPRESSIBLE.test(type) || !payload) return payload;
    reply.header('vary', 'accept-encoding');
    const encoding = chosenEncoding(String(request.headers['accept-encoding'] ?? ''));
    const isText = typeof payload === 'string' || Buffer.isBuffer(payload);
    const length = isText ? Buffer.byteLength(payload) : Number(reply.getHeader('content-length') ?? 0);
    if (!encoding || request.headers.range || length < SMALLEST || request.method !== 'GET') return payload;
    reply.header('content-encoding', encoding);
    reply.removeHeader('accept-ranges');
    if (length > LARGEST_HELD && !isText) {
      reply.header('content-encoding', 'gzip');
      reply.removeHeader('content-length');
      return (payload as Readable).pipe(createGzip({ level: 4 }));
    }
    const etag = String(reply.getHeader('etag') ?? '');
    const key = etag && `${encoding} ${etag} ${request.url.split('?')[0]}`;
    let packed = kept.get(key);
    if (packed) {
      if (!isText) (payload as Readable).destroy();
    } else {
      packed = await pack(isText ? Buffer.from(payload) : await buffer(payload as Readable), encoding);
      if (key) kept.set(key, packed);
    }
    reply.header('content-length', packed.length);
    return packed;
  });
}

type Encoding = 'br' | 'gzip';

function pack(bytes: Buffer, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'gzip') return deflate(bytes, { level: 6 });
  return brotli(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

function chosenEncoding(accepted: string): Encoding | undefined {
  const wanted = accepted
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
    .filter((part) => !/;\s*q=0(?:\.0*)?$/.test(part))
    .map((part) => part.split(';')[0]);
  return wanted.includes('br') ? 'br' : wanted.includes('gzip') ? 'gzip' : undefined;
}

/** The latest values, up to so many bytes together. */
function createCache(limit: number) {
  const values = new Map<string, Buffer>();
  let total = 0;
  return {
    get: (key: string) => values.get(key),
    set(key: string, value: Buffer) {
      total += value.length - (values.get(key)?.length ?? 0);
      values.set(key, value);
      for (const [old, { length }] of values) {
        if (total <= limit) return;
        values.delete(old);
        total -= length;
      }
    },
  };
}
