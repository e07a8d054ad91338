import { setTimeout as delay } from 'node:timers/promises';
import { HttpStatusError } from '@cc-ci/core';
import { request } from 'undici';
import { z } from 'zod';

/** States as Drone writes them. */
export type DroneStatus = 'pending' | 'running' | 'success' | 'failure' | 'killed' | 'error' | 'skipped';

/** One step as Drone shows it; ids are given by the server when the stage begins. */
export interface Step {
  id: number;
  /** The id of the stage, under the name the server gives it. */
  step_id: number;
  number: number;
  name: string;
  status: DroneStatus;
  error?: string;
  errignore?: boolean;
  exit_code: number;
  started?: number;
  stopped?: number;
  version: number;
}

const stageAnswer = z.looseObject({ id: z.number(), version: z.number(), updated: z.number() });
const stepAnswer = z.looseObject({ id: z.number(), number: z.number(), version: z.number() });
const text = z.string().default('');
const count = z.number().default(0);

const details = z.looseObject({
  stage: z.looseObject({
    id: z.number(),
    number: count,
    name: z.string(),
    kind: text,
    type: text,
    os: text,
    arch: text,
    version: z.number(),
  }),
  build: z.looseObject({
    id: z.number(),
    number: z.number(),
    event: text,
    action: text,
    link: text,
    message: text,
    before: text,
    after: z.string(),
    ref: text,
    source: text,
    target: text,
    author_login: text,
    author_name: text,
    author_email: text,
    created: count,
    started: count,
    params: z.record(z.string(), z.string()).nullish(),
  }),
  repository: z.looseObject({
    slug: z.string(),
    namespace: text,
    name: text,
    link: text,
    git_http_url: z.string(),
    default_branch: text,
    visibility: text,
    /** Minutes. */
    timeout: z.number().default(60),
  }),
  system: z.looseObject({ proto: text, host: text, version: text }),
  netrc: z.looseObject({ machine: z.string(), login: z.string(), password: z.string() }).nullish(),
  // Bytes, which Go writes as base64.
  config: z.looseObject({ Data: z.string().transform((data) => Buffer.from(data, 'base64').toString()) }),
});

/** Everything the server tells about a stage that was accepted. */
export type Details = z.output<typeof details>;
/** The same, with all that is not said empty. @throws ZodError when it is none */
export function readDetails(value: z.input<typeof details>): Details {
  return details.parse(value);
}
/** A stage of ours, as it is reported. */
export type Stage = Details['stage'] & {
  status?: DroneStatus;
  error?: string;
  exit_code?: number;
  started?: number;
  stopped?: number;
  machine?: string;
  steps?: Step[];
};

/** One line of a log; `pos` counts from 0, `time` is seconds since the step began. */
export interface LogLine {
  pos: number;
  out: string;
  time: number;
}

/** Another runner was faster, or the stage was ended by the server. */
export class OptimisticLockError extends Error {}

/** The calls of Drone's runner protocol, `/rpc/v2`. */
export interface DroneRpc {
  ping(): Promise<void>;
  /** Waits for a stage; undefined when `signal` was aborted first. */
  request(filter: { type: string; os: string; arch: string }): Promise<number | undefined>;
  accept(stage: number, machine: string): Promise<number>;
  details(stage: number): Promise<Details>;
  updateStage(stage: Stage): Promise<void>;
  updateStep(step: Step): Promise<void>;
  /** Resolves when the build was cancelled or has ended; undefined when `signal` was aborted first. */
  watch(build: number, signal: AbortSignal): Promise<true | undefined>;
  batch(step: number, lines: readonly LogLine[]): Promise<void>;
  upload(step: number, lines: readonly LogLine[]): Promise<void>;
}

/** The real runner waits 10 s; the server, where it answers at all, has no need of so much. */
const RETRY_MS = 500;

/**
 * A client of the protocol. Like the real one it asks again, without end, while the server cannot be reached, has
 * nothing yet (204) or is failing (502 and above); any other error is thrown.
 * @param signal ends every call that waits
 */
export function connectRpc(url: string, secret: string, signal: AbortSignal): DroneRpc {
  const once = async (method: 'GET' | 'POST' | 'PUT', path: string, body: unknown, stop: AbortSignal) => {
    const response = await request(`${url}/rpc/v2${path}`, {
      method,
      headers: { 'x-drone-token': secret, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      headersTimeout: 60_000,
      signal: stop,
    });
    const answer = await response.body.text();
    const status = response.statusCode;
    if (status === 409) throw new OptimisticLockError(answer);
    if (status >= 300) throw new HttpStatusError(`${method} ${path}`, status, answer.slice(0, 300));
    return status === 204 ? undefined : { answer };
  };
  const untilAnswered = async (
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: unknown,
    stop: AbortSignal = signal,
  ): Promise<string | undefined> => {
    while (!stop.aborted) {
      try {
        const answered = await once(method, path, body, stop);
        if (answered) return answered.answer;
      } catch (error) {
        if (stop.aborted) return undefined;
        if (!mayPass(error)) throw error;
        await delay(RETRY_MS, undefined, { signal: stop }).catch(() => {});
      }
    }
    return undefined;
  };
  const read = async <S extends z.ZodType>(schema: S, answer: Promise<string | undefined>) => {
    const said = await answer;
    if (said === undefined) throw new Error('the runner was stopped');
    return schema.parse(JSON.parse(said));
  };
  return {
    async ping() {
      await once('POST', '/ping', undefined, signal);
    },
    async request(filter) {
      const body = { kind: 'pipeline', ...filter };
      const answer = await untilAnswered('POST', '/stage', body);
      return answer === undefined ? undefined : stageAnswer.nullable().parse(JSON.parse(answer))?.id;
    },
    async accept(stage, machine) {
      const path = `/stage/${stage}?machine=${encodeURIComponent(machine)}`;
      return (await read(stageAnswer, untilAnswered('POST', path))).version;
    },
    details: (stage) => read(details, untilAnswered('GET', `/stage/${stage}`)),
    async updateStage(stage) {
      const schema = z.looseObject({ version: z.number(), steps: z.array(stepAnswer).nullish() });
      const told = await read(schema, untilAnswered('PUT', `/stage/${stage.id}`, stage));
      stage.version = told.version;
      for (const step of stage.steps ?? []) {
        const same = told.steps?.find(({ number }) => number === step.number);
        if (same) Object.assign(step, { id: same.id, version: same.version });
      }
    },
    async updateStep(step) {
      const path = `/step/${step.id}`;
      step.version = (await read(stepAnswer, untilAnswered('PUT', path, step))).version;
    },
    async watch(build, stop) {
      return (await untilAnswered('POST', `/build/${build}/watch`, undefined, stop)) === undefined
        ? undefined
        : true;
    },
    async batch(step, lines) {
      await once('POST', `/step/${step}/logs/batch`, lines, signal);
    },
    async upload(step, lines) {
      await untilAnswered('POST', `/step/${step}/logs/upload`, lines);
    },
  };
}

function mayPass(error: unknown): boolean {
  if (error instanceof OptimisticLockError) return false;
  return error instanceof HttpStatusError ? error.status > 501 : true;
}
