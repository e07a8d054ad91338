/** What a CGI program says before its body. */
export interface CgiHead {
  status: number;
  headers: Record<string, string>;
  /** The rest of its output. */
  body: AsyncIterable<Buffer>;
}

/** A CGI program ended, or went on and on, without a head. */
export class CgiHeadError extends Error {}

/** Bytes; git's own is under 300. */
const LONGEST_HEAD = 64 * 1024;

/**
 * Reads the head of a CGI answer (RFC 3875, section 6) and leaves the body to be read.
 * @throws CgiHeadError when there is none
 */
export async function readCgiHead(output: AsyncIterable<Buffer>): Promise<CgiHead> {
  const chunks = output[Symbol.asyncIterator]();
  let read = Buffer.alloc(0);
  for (;;) {
    const end = /\r?\n\r?\n/.exec(read.toString('latin1'));
    if (end) {
      const head = read.subarray(0, end.index).toString('latin1');
      return { ...parseHead(head), body: rest(read.subarray(end.index + end[0].length), chunks) };
    }
    const { value, done } = await chunks.next();
    if (done) throw new CgiHeadError('ended without an answer');
    read = Buffer.concat([read, value]);
    if (read.length > LONGEST_HEAD) throw new CgiHeadError('answered with a head that does not end');
  }
}

function parseHead(head: string): { status: number; headers: Record<string, string> } {
  const lines = head.split(/\r?\n/).map((line) => /^([^:]+):\s*(.*)$/.exec(line));
  const pairs = lines.flatMap((match) => (match ? [[match[1]?.toLowerCase(), match[2]] as const] : []));
  const { status = '200', ...headers } = Object.fromEntries(pairs) as Record<string, string>;
  return { status: Number.parseInt(status, 10), headers };
}

async function* rest(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (;;) {
    const { value, done } = await chunks.next();
    if (done) return;
    yield value;
  }
}
