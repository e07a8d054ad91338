import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, writeJson } from '@cc-ci/core';
import { type AppFacts, appFile } from '../recipe-tests/app-file.js';
import { writeSomeFacts } from './context.js';

/**
 * An app that is nothing but an HTTPS server in this process, with a certificate only its facts know to trust. It offers
 * HTTP/2 as an edge does, and does not speak it: no client of ours may take that up (see `chromiumArgs`).
 */
export async function httpsApp(
  dir: string,
  listener: RequestListener,
): Promise<{ facts: AppFacts; stop(): Promise<void> }> {
  const known = await writeSomeFacts(dir);
  const { key, cert } = await certificateFor(known.domain);
  const server = createServer({ key, cert, ALPNProtocols: ['h2', 'http/1.1'] }, listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const facts = { ...known, edge: { address: { host: '127.0.0.1', port }, ca: cert } };
  await writeJson(appFile(dir), facts, 0o600);
  return {
    facts,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function certificateFor(domain: string): Promise<{ key: string; cert: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-certificate-'));
  try {
    await run(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...['-subj', `/CN=${domain}`, '-addext', `subjectAltName=DNS:${domain}`],
        ...['-keyout', 'key.pem', '-out', 'cert.pem'],
      ],
      { cwd: dir, timeoutMs: 30_000 },
    );
    const [key, cert] = await Promise.all(
      ['key.pem', 'cert.pem'].map((name) => readFile(join(dir, name), 'utf8')),
    );
    return { key: key ?? '', cert: cert ?? '' };
  } finally {
    await rm(dir, { recursive: true });
  }
}
