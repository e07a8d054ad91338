import { get } from 'node:http';
import { STAGES, type StageName } from '@cc-ci/core';
import { writeRun } from '../testing/fixtures.js';

/** What a browser gets when somebody opens a page. */
export interface Opened {
  /** Bytes over the wire: the page, its stylesheet and its script, compressed as for a browser. */
  bytes: number;
  /** Milliseconds until the page was there whole. */
  pageMs: number;
}

const LINE = 'waiting: app 0/1, db 1/1; the health check of app says: connection refused on port 8080\n';

/** A run that has ended and left a log of so many bytes. @returns its id */
export async function writeLongLog(stateDir: string, bytes: number): Promise<string> {
  const lines = Array.from(
    { length: Math.ceil(bytes / (LINE.length + 25)) },
    (_, n) => `${new Date(Date.parse('2026-11-21T08:00:00.000Z') + n).toISOString()} ${LINE}`,
  );
  const logs: Partial<Record<StageName, string>> = { install: lines.join('') };
  for (const stage of STAGES) logs[stage] ??= `2026-11-21T08:00:00.000Z ${stage}\n`;
  return (await writeRun(stateDir, { logs })).run;
}

/** Opens a page with what belongs to it. @throws when one of them is not there */
export async function openPage(url: string, path: string): Promise<Opened> {
  const start = performance.now();
  const page = await bytesOf(url + path);
  const pageMs = performance.now() - start;
  const rest = await Promise.all(['/style.css', '/site.js'].map((it) => bytesOf(url + it)));
  return { bytes: rest.reduce((sum, it) => sum + it, page), pageMs };
}

function bytesOf(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(address, { agent: false, headers: { 'accept-encoding': 'gzip, br' } }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(bytes);
        else reject(new Error(`${address} answered ${response.statusCode}`));
      });
      response.on('error', reject);
    }).on('error', reject);
  });
}
