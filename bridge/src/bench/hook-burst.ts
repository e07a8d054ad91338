import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { commentPayload, deliveryHeaders } from '../testing/deliveries.js';
import { FAKE_TOKEN, type FakeForge, ORG, startFakeForge } from '../testing/fake-forge.js';

/** How large the burst is. */
export interface BurstOptions {
  deliveries: number;
  /** Shares of them, from 0 to 1: comments that were delivered before, and signatures that are not ours. */
  duplicates: number;
  forged: number;
  /** Deliveries under way at once. */
  connections: number;
  /** Pull requests the comments are spread over. */
  pulls: number;
  /** Seconds between two looks of the bridge; its default where it is not said. */
  pollSeconds?: number;
  /** The program the measured bridge is, which calls `serveBurst`; by default one that does nothing else. */
  program?: string;
}

export const FULL_BURST: BurstOptions = {
  deliveries: 5_000,
  duplicates: 0.2,
  forged: 0.1,
  connections: 20,
  pulls: 350,
};

/** What the measured bridge says of itself. */
export interface BurstReport {
  /** Builds it started, by pull request. */
  built: Record<string, number>;
  peakMb: number;
}

/** What a burst came to. */
export interface BurstResult {
  /** Answers by HTTP status. */
  statuses: Record<string, number>;
  /** Comments that had to become a build each, those that became none, and builds too many. */
  commands: number;
  lost: number;
  doubled: number;
  /** Milliseconds until an answer, while the burst lasted, and how long that was in seconds. */
  answerMs: { p50: number; p99: number; max: number };
  burstSeconds: number;
  /** Until every command was built and reported. */
  workedOffSeconds: number;
  /** Resident memory of the bridge's process: before the burst, a while after all was worked off, at its highest. */
  rssMb: { before: number; after: number; peak: number };
}

const SECRET = 'burst-secret';
const SHA = 'a'.repeat(40);
/** It can be waited for no longer; with a slow disk ten commands a second are worked off. */
const WORK_OFF_LIMIT_MS = 900_000;
/** From the last step to the look at the memory: what nobody needs any more may be given back. */
const REST_MS = 5_000;
const CHILD = fileURLToPath(new URL('./burst-bridge.js', import.meta.url));

interface Delivery {
  body: string;
  headers: Record<string, string>;
}

/**
 * Sends a burst of deliveries, each `!testme`, to a real bridge in a process of its own, and waits until all is worked
 * off. Polling goes on beside it and sees the same comments.
 */
export async function measureHookBurst(options: BurstOptions = FULL_BURST): Promise<BurstResult> {
  const folder = await mkdtemp(join(tmpdir(), 'cc-ci-burst-'));
  const forge = await startFakeForge();
  let bridge: ChildProcess | undefined;
  try {
    await writeFile(join(folder, 'token'), FAKE_TOKEN);
    await writeFile(join(folder, 'secret'), SECRET);
    bridge = fork(options.program ?? CHILD, [], {
      env: {
        PATH: process.env.PATH,
        CC_CI_STATE_DIR: join(folder, 'state'),
        CC_CI_FORGE_URL: forge.url,
        CC_CI_FORGE_TOKEN_FILE: join(folder, 'token'),
        CC_CI_HOOK_SECRET_FILE: join(folder, 'secret'),
        CC_CI_ORG: ORG,
        CC_CI_BRIDGE_LISTEN: '127.0.0.1:0',
        ...(options.pollSeconds ? { CC_CI_POLL_INTERVAL: String(options.pollSeconds) } : {}),
      },
    });
    const { url } = await answer<{ url: string }>(bridge);
    return await burst(bridge, url, forge, options);
  } finally {
    if (bridge?.exitCode === null) {
      bridge.disconnect();
      await once(bridge, 'exit');
    }
    await forge.close();
    await rm(folder, { recursive: true });
  }
}

async function burst(
  bridge: ChildProcess,
  url: string,
  forge: FakeForge,
  options: BurstOptions,
): Promise<BurstResult> {
  const before = await residentMb(bridge);
  const { deliveries, wanted } = prepare(forge, options);
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1_000;
  const { statuses, times } = await sendAll(`${url}/hook`, deliveries, options.connections);
  const burstSeconds = seconds();
  const commands = sum(wanted);
  await workedOff(url, commands);
  const workedOffSeconds = seconds();
  await delay(REST_MS);
  const after = await residentMb(bridge);
  const { built, peakMb } = await ask(bridge);
  const difference = (pull: string) => (wanted[pull] ?? 0) - (built[pull] ?? 0);
  const differences = [...new Set([...Object.keys(wanted), ...Object.keys(built)])].map(difference);
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    statuses,
    commands,
    lost: differences.reduce((total, it) => total + Math.max(0, it), 0),
    doubled: differences.reduce((total, it) => total + Math.max(0, -it), 0),
    answerMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    burstSeconds,
    workedOffSeconds,
    rssMb: { before, after, peak: peakMb },
  };
}

/** The deliveries in a mixed order, and how many builds each pull request must come to. */
function prepare(forge: FakeForge, { deliveries, duplicates, forged, pulls }: BurstOptions) {
  const doubles = Math.round(deliveries * duplicates);
  const bad = Math.round(deliveries * forged);
  const wanted: Record<string, number> = {};
  const all: Delivery[] = [];
  const opened = Array.from({ length: pulls }, (_, i) => forge.openPull(`${ORG}/recipe-${i}`, SHA));
  const now = new Date().toISOString();
  const deliveryOf = (id: number, repo: string, pr: number, secret: string): Delivery => {
    const body = JSON.stringify(
      commentPayload({
        repo,
        issue: { id: 1, number: pr, pull_request: {} },
        comment: { id, user: { id: 77, login: 'alice' }, created_at: now, updated_at: now },
      }),
    );
    return { body, headers: deliveryHeaders(body, secret) };
  };
  for (let i = 0; i < deliveries - doubles - bad; i++) {
    const pull = opened[i % pulls];
    if (!pull) continue;
    const { id } = forge.comment(pull, 'alice', '!testme');
    const key = `${pull.repo}#${pull.number}`;
    wanted[key] = (wanted[key] ?? 0) + 1;
    all.push(deliveryOf(id, pull.repo, pull.number, SECRET));
  }
  const distinct = all.length;
  for (let i = 0; i < doubles; i++) all.push(...all.slice(i % distinct, (i % distinct) + 1));
  // Comments that were never made: each that is taken is a build too many.
  for (let i = 0; i < bad; i++) all.push(deliveryOf(1_000_000 + i, `${ORG}/recipe-0`, 1, 'another secret'));
  // The same order every time, with what belongs together far apart and close by.
  const mixed = all.map((delivery, i) => ({ delivery, key: Math.imul(i + 1, 2_654_435_761) >>> 0 }));
  mixed.sort((a, b) => a.key - b.key);
  return { deliveries: mixed.map(({ delivery }) => delivery), wanted };
}

async function sendAll(url: string, deliveries: readonly Delivery[], connections: number) {
  const dispatcher = new Agent({ connections });
  const statuses: Record<string, number> = {};
  const times: number[] = [];
  const waiting = deliveries.values();
  async function sendNext(): Promise<void> {
    for (const { body, headers } of waiting) {
      const begin = performance.now();
      const response = await request(url, { method: 'POST', headers, body, dispatcher });
      await response.body.dump();
      times.push(performance.now() - begin);
      statuses[response.statusCode] = (statuses[response.statusCode] ?? 0) + 1;
    }
  }
  await Promise.all(Array.from({ length: connections }, sendNext));
  await dispatcher.close();
  return { statuses, times };
}

/** Memory of a process that is in RAM, as the kernel counts it. */
async function residentMb({ pid }: ChildProcess): Promise<number> {
  const [, kilobytes = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number.parseInt(kilobytes, 10) / 1024;
}

/**
 * Waits until so many builds have ended, and then for one more look at the forge: it must find nothing new.
 * @throws Error when that takes too long
 */
async function workedOff(url: string, commands: number): Promise<void> {
  const deadline = performance.now() + WORK_OFF_LIMIT_MS;
  let looksAtEnd: number | undefined;
  while (performance.now() < deadline) {
    const text = await (await request(`${url}/metrics`)).body.text();
    const looks = total(text, 'cc_ci_poll_duration_seconds_count');
    if (total(text, 'cc_ci_builds_ended_total') >= commands) {
      looksAtEnd ??= looks;
      if (looks > looksAtEnd + 1) return;
    }
    await delay(250);
  }
  throw new Error(`${commands} commands were not worked off within ${WORK_OFF_LIMIT_MS / 1_000} s`);
}

function total(metrics: string, name: string): number {
  const lines = metrics.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.reduce((all, line) => all + Number(line.slice(line.lastIndexOf(' '))), 0);
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}

async function ask(bridge: ChildProcess): Promise<BurstReport> {
  bridge.send('report');
  return answer<BurstReport>(bridge);
}

async function answer<T>(bridge: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const exit = once(bridge, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`the measured bridge ended with exit code ${code}`);
  });
  try {
    const [message] = await Promise.race([once(bridge, 'message'), exit]);
    return message as T;
  } finally {
    exit.catch(() => undefined);
    ended.abort();
  }
}
