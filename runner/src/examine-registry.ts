import { type Diagnosis, describeError, diagnose } from '@cc-ci/core';
import { request } from 'undici';
import { z } from 'zod';
import { registryLogin } from './registry.js';

/** Where Docker Hub is asked; a test has its own. */
export interface HubAddresses {
  auth: string;
  registry: string;
}

const HUB: HubAddresses = { auth: 'https://auth.docker.io', registry: 'https://registry-1.docker.io' };
/** The image that Docker Hub has for this question (docs.docker.com/docker-hub/usage/pulls). Asking by HEAD counts for nothing. */
const PREVIEW = 'ratelimitpreview/test';
const TIMEOUT_MS = 5_000;
/** A run pulls a handful of images, twice when it upgrades. */
const FEW = 20;
const LOGIN =
  "the operator's job: docker login as the user that runs builds (on a host: sudo -u cc-ci docker --config /var/lib/cc-ci/.docker login)";

const tokenSchema = z.object({ token: z.string() });

/**
 * How many images Docker Hub still gives us: with too few left, pulls fail in the middle of runs. Other registries tell
 * nobody.
 */
export async function examineRegistry(
  env: NodeJS.ProcessEnv = process.env,
  hub: HubAddresses = HUB,
): Promise<Diagnosis> {
  let who = 'without a login';
  try {
    const login = await registryLogin('docker.io', env);
    if (login) who = `as ${login.username}`;
    const { limit, remaining } = await askLimits(hub, login);
    if (remaining === undefined) return diagnose.ok('registry', `Docker Hub sets no limit ${who}`);
    const said = `Docker Hub, ${who}: ${remaining} pulls left${limit === undefined ? '' : ` of ${limit}`}`;
    if (remaining >= FEW) return diagnose.ok('registry', said);
    return diagnose.warn('registry', said, login ? 'wait, or take a larger plan' : LOGIN);
  } catch (error) {
    if (error instanceof LoginRefusedError)
      return diagnose.fail('registry', `Docker Hub refuses the login ${who}`, LOGIN);
    return diagnose.unknown(
      'registry',
      `Docker Hub's limits, ${who}: ${describeError(error) || 'no answer'}`,
    );
  }
}

class LoginRefusedError extends Error {}

async function askLimits(
  { auth, registry }: HubAddresses,
  login: { username: string; password: string } | undefined,
): Promise<{ limit?: number; remaining?: number }> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const basic = login && Buffer.from(`${login.username}:${login.password}`).toString('base64');
  const scope = `repository:${PREVIEW}:pull`;
  const asked = await request(`${auth}/token?service=registry.docker.io&scope=${scope}`, {
    signal,
    ...(basic === undefined ? {} : { headers: { authorization: `Basic ${basic}` } }),
  });
  const answer = await asked.body.json().catch(() => undefined);
  if (basic !== undefined && asked.statusCode === 401) throw new LoginRefusedError();
  const parsed = tokenSchema.safeParse(answer);
  if (!parsed.success) throw new Error(`no token was given (HTTP ${asked.statusCode})`);
  const { headers, statusCode, body } = await request(`${registry}/v2/${PREVIEW}/manifests/latest`, {
    method: 'HEAD',
    signal,
    headers: { authorization: `Bearer ${parsed.data.token}` },
  });
  await body.dump();
  // 429: nothing is left.
  if (statusCode !== 200 && statusCode !== 429) throw new Error(`it answered HTTP ${statusCode}`);
  const limit = count(headers['ratelimit-limit']);
  const remaining = count(headers['ratelimit-remaining']) ?? (statusCode === 429 ? 0 : undefined);
  return { ...(limit === undefined ? {} : { limit }), ...(remaining === undefined ? {} : { remaining }) };
}

/** `100;w=21600`: so many in so many seconds. */
function count(header: string | string[] | undefined): number | undefined {
  const digits = /^\d+/.exec(String(header ?? ''))?.[0];
  return digits === undefined ? undefined : Number(digits);
}
