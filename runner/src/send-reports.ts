import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  describeError,
  folderNames,
  isGrowing,
  isReportPath,
  LARGEST_REPORT_FILE,
  type Logger,
  type ReportSink,
  readJson,
  runFolder,
  runId,
  runsFolder,
  summaryFile,
  writeJson,
} from '@cc-ci/core';
import { z } from 'zod';

/** Bytes of a log that are sent at once. */
const CHUNK = 4 * 1024 * 1024;

/** What of a run was handed on: by path, the file's size and time (ms) then. */
const sentFile = z.strictObject({ size: z.number(), time: z.number() });
type Sent = z.output<typeof sentFile>;
const ledger = z.strictObject({ files: z.record(z.string(), sentFile) });

/** In the run's folder, so that a sender that is started again goes on where it stood. */
const ledgerFile = (dir: string) => join(dir, 'sent.json');

export interface SendOptions {
  stateDir: string;
  sink: ReportSink;
  logger: Logger;
}

/** Hands the reports of this host's runs on. */
export interface ReportSender {
  /**
   * Sends what is new in every run: first what is referred to, last what says that the run is over.
   * @returns how many files were sent, and of how many runs something could not be (tried again by the next call)
   */
  sendAll(): Promise<{ sent: number; failed: number }>;
}

export function createReportSender({ stateDir, sink, logger }: SendOptions): ReportSender {
  /** Runs that are over and of which nothing is left to send, with the time (ms) of the file that says so. */
  const settled = new Map<string, number>();

  async function sendRun(run: string): Promise<{ sent: number; failed: number }> {
    const dir = runFolder(stateDir, run);
    const over = await changedAt(summaryFile(dir));
    if (over !== undefined && settled.get(run) === over) return { sent: 0, failed: 0 };
    const known = (await readJson(ledgerFile(dir), ledger).catch(() => undefined)) ?? { files: {} };
    let [sent, failed] = [0, 0];
    for (const path of await reportFiles(dir)) {
      try {
        const now = await sendFile(run, dir, path, known.files[path]);
        if (!now) continue;
        known.files[path] = now;
        sent++;
      } catch (error) {
        // What refers to a file comes after it: when one fails, the rest of the run waits.
        logger.warn({ run, path }, describeError(error));
        failed++;
        break;
      }
    }
    if (sent > 0) await writeJson(ledgerFile(dir), known);
    if (sent === 0 && failed === 0 && over !== undefined) settled.set(run, over);
    return { sent, failed };
  }

  /** @returns the file as it was handed on; undefined when nothing is new */
  async function sendFile(run: string, dir: string, path: string, before: Sent | undefined) {
    // One file from its size to its last byte: the name may lead to another one at any time.
    const file = await open(join(dir, path), 'r');
    try {
      const { size, mtimeMs: time } = await file.stat();
      if (before?.size === size && before.time === time) return undefined;
      if (isGrowing(path)) await sendGrowth(run, path, file, before?.size ?? 0, size);
      else if (size <= LARGEST_REPORT_FILE) await sink.put(run, path, await readPart(file, 0, size));
      else logger.warn({ run, path, size }, 'too large to be handed on; it stays on this host');
      return { size, time };
    } finally {
      await file.close();
    }
  }

  async function sendGrowth(run: string, path: string, file: FileHandle, from: number, size: number) {
    let offset = Math.min(from, size);
    do {
      const part = await readPart(file, offset, Math.min(CHUNK, size - offset));
      // Less than was sent: the other side has lost some of it, and is given it again.
      offset = Math.min(await sink.append(run, path, offset, part), offset + part.length);
    } while (offset < size);
  }

  return {
    async sendAll() {
      const total = { sent: 0, failed: 0 };
      for (const name of await folderNames(runsFolder(stateDir))) {
        if (!runId.safeParse(name).success) continue;
        const { sent, failed } = await sendRun(name).catch((error: unknown) => {
          // A run's folder may be removed at any time.
          logger.warn({ run: name }, describeError(error));
          return { sent: 0, failed: 1 };
        });
        total.sent += sent;
        total.failed += failed;
      }
      return total;
    },
  };
}

/** They say that the run is over. */
const LAST = ['report.json', 'run.json'];

/** First the plan, then what stages refer to, then the stages, and at last what says that the run is over. */
function rank(path: string): number {
  if (path === 'plan.json') return 0;
  if (path.includes('/')) return 1;
  return 3 + LAST.indexOf(path);
}

async function reportFiles(dir: string): Promise<string[]> {
  const paths = await readdir(dir, { recursive: true, withFileTypes: true });
  return paths
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .filter(isReportPath)
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

async function changedAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return undefined;
  }
}

async function readPart(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}
