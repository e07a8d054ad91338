import { describeIssues, readSecretFile } from '@cc-ci/core';
import { Client } from 'drone-node';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { EngineError } from '../engine-error.js';
import {
  type DroneBuild,
  type DroneLine,
  type DroneRepo,
  droneBuild,
  droneLine,
  droneRepo,
} from './answers.js';
import { serverSentEvents } from './events.js';

export interface DroneClientOptions {
  /** Base URL of the Drone server. */
  url: string;
  /** File with the API token of a user who may write to the repository. */
  tokenFile: string;
  /** The repository whose pipeline is run, as `owner/name`. */
  repository: string;
  /** Milliseconds an answer may take; default 30 s. */
  timeoutMs?: number;
}

/** What is asked of a Drone server. Every call throws EngineError. */
export interface DroneClient {
  /** undefined: Drone does not know the repository, or the token's user may not see it. */
  repo(): Promise<DroneRepo | undefined>;
  /** One page (from 1) of the repository's builds, the newest first, without stages. */
  builds(page: number, limit: number): Promise<DroneBuild[]>;
  /** undefined: there is no such build. */
  build(number: number): Promise<DroneBuild | undefined>;
  start(branch: string, params: Readonly<Record<string, string>>): Promise<DroneBuild>;
  /** Ends a build; one that has ended is left as it is. @returns false when there is no such build */
  cancel(number: number): Promise<boolean>;
  /** All output of an ended step; undefined when none was stored. */
  stepLog(number: number, stage: number, step: number): Promise<DroneLine[] | undefined>;
  /** Output of a running step from its beginning on (as far as Drone has kept it), until the step ends. */
  tail(number: number, stage: number, step: number, signal: AbortSignal): AsyncGenerator<DroneLine>;
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Drone writes a ping into a live log every 30 s. */
const SILENCE_MS = 90_000;
/** Ways in which a request never left this machine. */
const UNSENT = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
];

/** What drone-node rejects with: axios' error as JSON, with the token in its `config`. Only these are ever shown. */
const rejection = z.object({
  message: z.string().default('no answer'),
  status: z.number().nullish(),
  code: z.string().nullish(),
});

/**
 * Drone's API by drone-node; starting a build with parameters and live logs, which it does not have, by undici.
 * @throws InputError when the token's file cannot be read
 */
export function openDroneClient(options: DroneClientOptions): DroneClient {
  const { url, repository, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const token = readSecretFile(options.tokenFile, 'CC_CI_DRONE_TOKEN_FILE');
  const [owner = '', name = ''] = repository.split('/');
  const drone = new Client({ url, token });
  drone._axios.defaults.timeout = timeoutMs;
  const agent = new Agent({ connectTimeout: timeoutMs, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  const headers = { authorization: `Bearer ${token}` };

  /** @returns undefined for 404 */
  async function ask<S extends z.ZodType>(
    what: string,
    schema: S,
    call: () => Promise<unknown>,
  ): Promise<z.output<S> | undefined> {
    let answer: unknown;
    try {
      answer = await call();
    } catch (error) {
      if (error instanceof EngineError) throw error;
      const { message, status, code } = rejection.parse(error);
      if (status === 404) return undefined;
      throw failure(what, message, status ?? undefined, code ?? undefined);
    }
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    const [first = 'not JSON'] = describeIssues(parsed.error);
    throw new EngineError(`Drone, ${what}: the answer is not what Drone answers: ${first}`, { retry: true });
  }

  return {
    repo: () => ask('repository', droneRepo, () => drone.getRepo(owner, name)),
    async builds(page, limit) {
      const found = await ask('list of builds', z.array(droneBuild).nullable(), () =>
        drone.getBuilds(owner, name, page, limit),
      );
      if (found === undefined) throw unknownRepository(repository);
      return found ?? [];
    },
    build: (number) => ask(`build ${number}`, droneBuild, () => drone.getBuild(owner, name, number)),
    async start(branch, params) {
      const query = new URLSearchParams({ ...params, branch });
      const started = await ask('start of a build', droneBuild.nullable(), async () => {
        const answer = await request(`${url}/api/repos/${owner}/${name}/builds?${query}`, {
          method: 'POST',
          headers,
          dispatcher: agent,
        });
        const text = await answer.body.text();
        if (answer.statusCode === 200) return parseJson(text);
        if (answer.statusCode === 404) throw unknownRepository(`${repository}, or its branch ${branch}`);
        throw failure('start of a build', messageIn(text), answer.statusCode);
      });
      if (started) return started;
      throw new EngineError(`Drone started nothing for ${repository}`, {
        retry: false,
        nothingStarted: true,
        hint: `the .drone.yml of branch ${branch} must have a pipeline for the event "custom", and the user who activated the repository must be active`,
      });
    },
    async cancel(number) {
      return (
        (await ask(`cancel of build ${number}`, z.unknown(), async () => {
          await drone.cancelBuild(owner, name, number);
          return true;
        })) !== undefined
      );
    },
    async stepLog(number, stage, step) {
      const lines = await ask(`log of build ${number}`, z.array(droneLine).nullable(), () =>
        drone.getLogs(owner, name, number, stage, step),
      );
      return lines === null ? [] : lines;
    },
    async *tail(number, stage, step, signal) {
      const what = `live log of build ${number}`;
      try {
        const path = `/api/stream/${owner}/${name}/${number}/${stage}/${step}`;
        const answer = await request(`${url}${path}`, {
          headers,
          dispatcher: agent,
          signal,
          bodyTimeout: SILENCE_MS,
        });
        if (answer.statusCode !== 200) {
          throw failure(what, messageIn(await answer.body.text()), answer.statusCode);
        }
        for await (const { event, data } of serverSentEvents(answer.body)) {
          if (event === 'error') return;
          const line = droneLine.safeParse(parseJson(data));
          if (line.success) yield line.data;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof EngineError) throw error;
        throw failure(what, (error as Error).message, undefined, (error as NodeJS.ErrnoException).code);
      }
    },
    close: () => agent.destroy(),
  };
}

function failure(what: string, message: string, status?: number, code?: string): EngineError {
  const refused = status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
  const text = `Drone, ${what}: ${status === undefined ? '' : `HTTP ${status}: `}${message || code}`;
  return new EngineError(text, {
    retry: !refused,
    nothingStarted: refused || (code !== undefined && UNSENT.includes(code)),
    ...(status === 401 || status === 403
      ? { hint: 'CC_CI_DRONE_TOKEN_FILE must hold the token of a user who may write to the repository' }
      : {}),
  });
}

/** Drone says 404 also when it cannot reach the forge (handler/api/repos/builds/create.go): worth asking again. */
function unknownRepository(what: string): EngineError {
  return new EngineError(`Drone does not know ${what}`, {
    retry: true,
    nothingStarted: true,
    hint: 'activate the repository in Drone, as the user whose token CC_CI_DRONE_TOKEN_FILE holds, and look whether Drone reaches the forge',
  });
}

/** Drone's errors are `{"message": "…"}`; a proxy's are pages. */
function messageIn(text: string): string {
  const parsed = z.object({ message: z.string() }).safeParse(parseJson(text));
  return (parsed.success ? parsed.data.message : text).slice(0, 300);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
