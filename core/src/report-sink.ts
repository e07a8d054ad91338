import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CcCiError, InputError } from './errors.js';
import { writeFileAtomic } from './files.js';
import { runFolder } from './record.js';

/** Bytes a single file of a run may have to be handed on. */
export const LARGEST_REPORT_FILE = 64 * 1024 * 1024;

/**
 * Files of a run's folder that others may have: the record, its logs, and what the browser saw, all of it redacted.
 * Whatever else lies there (secrets, checkouts) is nobody's business.
 */
const RECORD = /^(?:plan|run|report|stage-[a-z-]{1,40})\.json$|^junit\.xml$|^log\.txt$/;
const FILES = /^(?:logs|screenshots|traces|console)\/[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/;
/** Files that only grow until they are complete. */
const GROWS = /^(?:logs|console)\//;

/** Whether a path in a run's folder is a file of its report. */
export const isReportPath = (path: string) => RECORD.test(path) || FILES.test(path);
/** Whether that file is appended to, and never written anew. */
export const isGrowing = (path: string) => GROWS.test(path);

/** Where the report of a run goes: to readers on this host, or on another one. */
export interface ReportSink {
  /** Puts a whole file in place of what is there; readers see the old one or the new one. */
  put(run: string, path: string, content: Uint8Array): Promise<void>;
  /**
   * Adds to a file that grows: `content` stands at `offset` of it. Said twice is the same as once.
   * @returns how many bytes are there now; fewer than `offset` when something before it is missing (nothing is added)
   */
  append(run: string, path: string, offset: number, content: Uint8Array): Promise<number>;
}

/** The state folder of this host, where dashboard and bridge read. @throws InputError for paths of no report */
export function directorySink(stateDir: string): ReportSink {
  const pathOf = (run: string, path: string) => {
    if (!isReportPath(path)) throw new InputError(`${path} is no file of a report`);
    return join(runFolder(stateDir, run), path);
  };
  return {
    put: (run, path, content) => writeFileAtomic(pathOf(run, path), content),
    async append(run, path, offset, content) {
      const file = pathOf(run, path);
      if (!isGrowing(path)) throw new InputError(`${path} is no file that grows`);
      const there = await sizeOf(file);
      if (there < offset) return there;
      const fresh = content.subarray(there - offset);
      if (fresh.length === 0) return there;
      await mkdir(dirname(file), { recursive: true });
      const handle = await open(file, 'a');
      try {
        await handle.writeFile(fresh);
      } finally {
        await handle.close();
      }
      return there + fresh.length;
    },
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

const TIMEOUT_MS = 60_000;
const appended = z.object({ size: z.number().int() });

/**
 * A dashboard on another host, by its `/api/reports/<run>/<path>`.
 * @throws CcCiError (from its functions) when it does not take what it is given, or does not answer within a minute
 */
export function httpSink({ url, token }: { url: string; token: string }): ReportSink {
  async function send(method: 'PUT' | 'PATCH', run: string, path: string, offset: number, body: Uint8Array) {
    // Loaded by who sends: it takes 18 MB, and everything of ours is made of this room.
    const { request } = await import('undici');
    const address = `${url}/api/reports/${run}/${path}`;
    const { statusCode, body: answer } = await request(address, {
      method,
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/octet-stream',
        'x-offset': String(offset),
      },
    }).catch((error: Error) => {
      throw new CcCiError(`${method} ${address}: ${error.message}`, { cause: error });
    });
    const text = await answer.text();
    if (statusCode !== 200) {
      const hint = statusCode === 401 ? 'both sides need the same CC_CI_REPORT_TOKEN_FILE' : undefined;
      throw new CcCiError(`${method} ${address}: HTTP ${statusCode}: ${text.slice(0, 200).trim()}`, {
        ...(hint ? { hint } : {}),
      });
    }
    return text;
  }
  return {
    async put(run, path, content) {
      await send('PUT', run, path, 0, content);
    },
    async append(run, path, offset, content) {
      const answer = appended.safeParse(JSON.parse(await send('PATCH', run, path, offset, content)));
      if (answer.success) return answer.data.size;
      throw new CcCiError(`${url} does not say how much of ${path} it has: is it a cc-ci dashboard?`);
    },
  };
}
