import { z } from 'zod';
import { CcCiError, HttpStatusError } from '../errors.js';
import { call, type Docker, jsonLines, messageOf, remove } from './connection.js';

/** An image could not be pulled; `reason` is what the engine, or the registry through it, said. */
export class ImagePullError extends CcCiError {
  readonly reason: string;

  constructor(image: string, reason: string, cause?: unknown) {
    super(`${image} could not be pulled: ${reason}`, { cause });
    this.reason = reason;
  }
}

/** Which image of a registry: its name without tag or digest, and one of the two. */
export interface PullableImage {
  /** Such as `nginx` or `registry.example.org:5000/team/app`. */
  name: string;
  /** A tag (`1.25`) or a digest (`sha256:…`). */
  version: string;
}

const progress = z.object({
  /** The layer, or the tag, that the line is about. */
  id: z.string().optional(),
  status: z.string().optional(),
  progressDetail: z
    .object({ current: z.number().optional(), total: z.number().optional() })
    .nullish()
    .transform((value) => value ?? {}),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string().optional() }).nullish(),
});
/** One line of what the engine says while it pulls: there are many for each layer. */
export type PullProgress = z.output<typeof progress>;

/** Whether the node has an image, by any name or id that Docker knows it by. @throws HttpStatusError but for 404 */
export async function imageExists(docker: Docker, image: string): Promise<boolean> {
  const path = `${imagePath(image)}/json`;
  const response = await call(docker, 'GET', path);
  const text = await response.body.text();
  if (response.statusCode === 200) return true;
  if (response.statusCode === 404) return false;
  throw new HttpStatusError(`Docker GET ${path}`, response.statusCode, messageOf(text));
}

/**
 * Pulls an image; the engine says how far it is as it goes, and goes on until the last line was taken.
 * @param options.auth value of the header X-Registry-Auth (engine API, "Authentication"): a secret
 * @param options.signal ends the pull
 * @throws ImagePullError when the engine or the registry refuses, also in the middle
 */
export async function* pullImage(
  docker: Docker,
  { name, version }: PullableImage,
  options: { auth?: string | undefined; signal?: AbortSignal } = {},
): AsyncGenerator<PullProgress> {
  const image = `${name}${version.includes(':') ? '@' : ':'}${version}`;
  const response = await call(docker, 'POST', '/images/create', {
    // Without a tag the engine would pull every one there is.
    query: { fromImage: name, tag: version },
    headers: options.auth === undefined ? {} : { 'x-registry-auth': options.auth },
    signal: options.signal,
    // It answers once the registry has.
    headersTimeoutMs: 0,
  });
  if (response.statusCode !== 200)
    throw new ImagePullError(image, messageOf(await response.body.text()) || `HTTP ${response.statusCode}`);
  for await (const value of jsonLines(response.body)) {
    const line = progress.parse(value);
    const error = line.errorDetail?.message ?? line.error;
    if (error !== undefined) throw new ImagePullError(image, error);
    yield line;
  }
}

/** Removes a name of an image, and the image with its last one; gone already is fine. */
export const removeImage = (docker: Docker, image: string) => remove(docker, imagePath(image));

function imagePath(image: string): string {
  return `/images/${image.split('/').map(encodeURIComponent).join('/')}`;
}
