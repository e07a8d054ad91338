import { existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Config, type Diagnosis, describeError, diagnose, readSecretFile } from '@cc-ci/core';
import { request } from 'undici';
import { z } from 'zod';
import type { CheckResult } from './app.js';
import { connectForge, type ForgeClient, isOrgMember, whoAmI } from './forge/client.js';
import { ForgeError } from './forge/errors.js';
import { allRepositories, listOrgRepos } from './forge/lists.js';
import type { ForgeRepository } from './forge/schemas.js';
import { listStatusRefusals, openBridgeStore, probeStore } from './store.js';

const READY_TIMEOUT_MS = 5_000;

/** Looks at everything the bridge needs. Asks only; the one thing it writes is a row that nobody reads. */
export async function examineBridge(config: Config<'common' | 'bridge'>): Promise<Diagnosis[]> {
  const database = await examineDatabase(config.common.stateDir);
  return [
    ...(await examineForge(config.bridge, database.refusedIn)),
    examineHook(config.bridge),
    database.diagnosis,
    await examineService(config.bridge.listen),
  ];
}

async function examineForge(
  { forgeUrl, forgeTokenFile, org }: Config<'bridge'>['bridge'],
  refusedIn: readonly string[],
): Promise<Diagnosis[]> {
  let token: string;
  try {
    token = readSecretFile(forgeTokenFile, 'CC_CI_FORGE_TOKEN_FILE');
  } catch (error) {
    return [diagnose.fail('token', describeError(error), "write the bot's access token into that file")];
  }
  const forge = connectForge({ url: forgeUrl, token });
  try {
    const { login } = await whoAmI(forge);
    return [
      diagnose.ok('forge', `${forgeUrl} knows the token: it is ${login}'s`),
      await examineMembership(forge, org, login),
      ...(await examineRepositories(forge, org, refusedIn)),
    ];
  } catch (error) {
    return [diagnose.fail('forge', reasonOf(error), todoFor(error))];
  } finally {
    await forge.close();
  }
}

async function examineMembership(forge: ForgeClient, org: string, login: string): Promise<Diagnosis> {
  const todo = `make ${login} a member of a team of ${org} that may read all repositories`;
  try {
    if (await isOrgMember(forge, org, login))
      return diagnose.ok('membership', `${login} is a member of ${org}`);
    return diagnose.fail('membership', `${login} is no member of ${org}: it is not told who may ask`, todo);
  } catch (error) {
    return diagnose.fail('membership', reasonOf(error), todo);
  }
}

async function examineRepositories(
  forge: ForgeClient,
  org: string,
  refusedIn: readonly string[],
): Promise<Diagnosis[]> {
  let repositories: ForgeRepository[];
  try {
    repositories = await allRepositories((page) => listOrgRepos(forge, org, page));
  } catch (error) {
    return [diagnose.fail('repositories', reasonOf(error), todoFor(error))];
  }
  const live = repositories.filter(({ archived }) => archived !== true);
  if (live.length === 0) {
    const todo = `check CC_CI_ORG, and that the bot's team may read the repositories of ${org}`;
    return [diagnose.fail('repositories', `the bot can read no repository of ${org}`, todo)];
  }
  return [
    diagnose.ok('repositories', `the bot can read ${live.length} of ${org}`),
    statusRights(live, refusedIn),
  ];
}

/** By what the forge says of its rights, and by what it said to the bridge when that tried. */
function statusRights(repositories: readonly ForgeRepository[], refusedIn: readonly string[]): Diagnosis {
  const without = repositories.filter(
    ({ full_name, permissions }) => refusedIn.includes(full_name) || permissions?.push !== true,
  );
  if (without.length === 0)
    return diagnose.ok('commit statuses', 'the bot may set them, by all the forge has said');
  const which = without.length === repositories.length ? 'anywhere' : `in ${listed(without)}`;
  return diagnose.warn(
    'commit statuses',
    `the bot may not set them ${which}; comments do without`,
    'if you want them: write access for the team, and scope write:repository for the token',
  );
}

function listed(repositories: readonly { full_name: string }[]): string {
  const names = repositories.slice(0, 5).map(({ full_name }) => full_name);
  const more = repositories.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function examineHook({ hookSecretFile }: Config<'bridge'>['bridge']): Diagnosis {
  if (hookSecretFile === undefined) {
    return diagnose.ok(
      'webhook',
      'not used; comments are found by polling (docs/bridge.md tells how to add it)',
    );
  }
  try {
    readSecretFile(hookSecretFile, 'CC_CI_HOOK_SECRET_FILE');
    return diagnose.ok('webhook', 'deliveries are taken at /hook');
  } catch (error) {
    const todo = 'write the secret of the webhook into that file, or leave the setting out';
    return diagnose.fail('webhook', describeError(error), todo);
  }
}

async function examineDatabase(
  stateDir: string,
): Promise<{ diagnosis: Diagnosis; refusedIn: readonly string[] }> {
  const file = join(stateDir, 'bridge.sqlite');
  const todo = `see that ${stateDir} belongs to the user the bridge runs as, and has room`;
  try {
    await access(nearestFolder(stateDir), constants.W_OK);
    // Not made here: it would belong to whoever asks.
    if (!existsSync(file)) {
      return {
        diagnosis: diagnose.ok('database', `${file} is made when the bridge is started`),
        refusedIn: [],
      };
    }
    const store = openBridgeStore(file);
    try {
      probeStore(store);
      const refusedIn = listStatusRefusals(store).map(({ repo }) => repo);
      return { diagnosis: diagnose.ok('database', `${file} can be written`), refusedIn };
    } finally {
      store.close();
    }
  } catch (error) {
    return { diagnosis: diagnose.fail('database', `${file}: ${describeError(error)}`, todo), refusedIn: [] };
  }
}

/** The folder itself, or the one it would be made in. */
function nearestFolder(path: string): string {
  let folder = resolve(path);
  while (!existsSync(folder)) folder = dirname(folder);
  return folder;
}

const readiness = z.object({
  checks: z.record(
    z.string(),
    z.object({ ok: z.boolean(), detail: z.string() }) satisfies z.ZodType<CheckResult>,
  ),
});

/** What the bridge that runs here says of itself. */
async function examineService({ host, port }: Config<'bridge'>['bridge']['listen']): Promise<Diagnosis> {
  const url = `http://${host}:${port}/readyz`;
  try {
    const { body } = await request(url, { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    const { checks } = readiness.parse(await body.json());
    const bad = Object.entries(checks).filter(([, { ok }]) => !ok);
    if (bad.length === 0) return diagnose.ok('bridge', `runs, and is ready (${url})`);
    const said = bad.map(([name, { detail }]) => `${name}: ${detail}`).join('; ');
    return diagnose.fail('bridge', `runs, but is not ready: ${said}`, 'its log says more');
  } catch (error) {
    const said = `does not answer at ${url}: ${reasonOf(error)}`;
    return diagnose.warn('bridge', said, 'start it: cc-ci bridge, or its unit');
  }
}

/** The error's words without its hint, which is what to do. */
function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return 'it answers in another form than Gitea';
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}

function todoFor(error: unknown): string {
  const hint = error instanceof ForgeError ? error.hint : undefined;
  if (hint !== undefined) return hint;
  if (error instanceof ForgeError && error.kind === 'rate-limited') return 'ask again later';
  if (error instanceof ForgeError && error.kind === 'not-found') return 'check CC_CI_FORGE_URL and CC_CI_ORG';
  return 'check CC_CI_FORGE_URL, and that the forge is up and can be reached from here';
}
