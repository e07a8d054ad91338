import { appendFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { runFolder, stageLogFile } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { writeRun } from '../testing/fixtures.js';

/** How many read, and what is written meanwhile. */
export interface ReadersJob {
  stateDir: string;
  url: string;
  run: string;
  readers: number;
  lines: number;
  /** Milliseconds between two lines. */
  every: number;
}

export interface ReadersReport {
  readers: number;
  lines: number;
  /** Milliseconds from a line's writing until a reader has it, over all readers and lines. */
  latencyMs: { p50: number; p99: number; max: number };
  /** Lines that the slow reader did not take while all others got theirs. */
  slowReaderBehind: number;
}

/** Lines that are in the log before anybody comes: what a slow reader cannot take. */
const EARLIER = 60_000;

const lineOf = (number: number) => `2026-11-21T08:00:00.000Z line ${number} of a stage that goes on\n`;

/** A run that goes on and has a long log. @returns its id */
export async function writeRunningLog(stateDir: string): Promise<string> {
  const install = Array.from({ length: EARLIER }, (_, n) => lineOf(n + 1)).join('');
  const { run } = await writeRun(stateDir, {
    finishedAt: undefined,
    stages: { install: { state: 'running', finishedAt: undefined }, teardown: undefined },
    logs: { install },
  });
  return run;
}

/** Everybody follows one log; one reader, who has all of it to come, stops taking anything. */
export async function measureReaders({
  stateDir,
  url,
  run,
  readers,
  lines,
  every,
}: ReadersJob): Promise<ReadersReport> {
  const address = `${url}/runs/${run}/log/stream`;
  const writtenAt: number[] = [];
  const latencies: number[] = [];
  let slowest = 0;
  const slow = await follow(address, (last) => {
    slowest = last;
    slow.pause();
  });
  const all = await Promise.all(
    Array.from({ length: readers }, async () => {
      let known = EARLIER;
      const response = await follow(`${address}?from=install:${EARLIER}`, (last) => {
        const now = performance.now();
        for (; known < last; known++) latencies.push(now - (writtenAt[known - EARLIER] ?? now));
      });
      return { response, known: () => known };
    }),
  );
  try {
    const log = stageLogFile(runFolder(stateDir, run), 'install');
    for (let number = 1; number <= lines; number++) {
      writtenAt.push(performance.now());
      await appendFile(log, lineOf(EARLIER + number));
      await delay(every);
    }
    await until(() => all.every((reader) => reader.known() === EARLIER + lines));
  } finally {
    for (const { response } of all) response.destroy();
    slow.destroy();
  }
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    readers,
    lines,
    latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    slowReaderBehind: EARLIER + lines - slowest,
  };
}

/** @param onLine told the number of the last line that has come */
function follow(address: string, onLine: (last: number) => void): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(address, { agent: false }, (response) => {
      let rest = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const events = (rest + chunk).split('\n\n');
        rest = events.pop() ?? '';
        const last = events.map((event) => /^id: install:(\d+)$/m.exec(event)?.[1]).findLast(Boolean);
        if (last !== undefined) onLine(Number(last));
      });
      // The end of a reader that was let go of.
      response.on('error', () => undefined);
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`${address} answered ${response.statusCode}`));
    });
    request.on('error', reject);
  });
}
