import { compareVersions, InputError, newerThan, olderThan, parseVersion } from '@cc-ci/core';
import { type App, loadApp } from '../app.js';
import { confirm } from '../context.js';
import { waitConverged } from '../converge.js';
import { deployTree } from '../deploy.js';
import { type Deployed, findDeployed, requireDeployed } from '../deployed.js';
import { dockerClient } from '../docker-client.js';
import { chaosVersion, checkout, ensureExists, ensureFresh, latestVersion, versionsOf } from '../recipe.js';
import { releaseNotes } from '../release-notes.js';
import { arg, type Call, type FlagName, type Verb } from '../verbs.js';

const COMMON: readonly FlagName[] = ['force', 'noDomainChecks', 'noConvergeChecks'];
const RESTART_TIMEOUT_SECONDS = 300;

/** Commands that change what runs. */
export const deployVerbs: readonly Verb[] = [
  {
    name: 'deploy',
    alias: 'd',
    about: 'Deploy an app',
    args: '<domain> [version]',
    flags: [...COMMON, 'chaos', 'latest', 'showUnchanged'],
    run: deploy,
  },
  {
    name: 'upgrade',
    alias: 'up',
    about: 'Upgrade an app to a newer version',
    args: '<domain> [version]',
    flags: [...COMMON, 'releasenotes'],
    run: upgrade,
  },
  {
    name: 'rollback',
    alias: 'rl',
    about: 'Roll an app back to an older version',
    args: '<domain> [version]',
    flags: COMMON,
    run: (call) => move(call, 'downgrade'),
  },
  {
    name: 'restart',
    alias: 're',
    about: 'Restart services of an app',
    args: '<domain> [service]',
    flags: ['allServices'],
    run: restart,
  },
];

async function deploy(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  const chaos = call.has('chaos');
  const wanted = call.args[1];
  if (chaos && wanted) throw new InputError('cannot use [version] and --chaos together');
  if (chaos && call.has('latest')) throw new InputError('cannot use --latest and --chaos together');
  if (wanted && call.has('latest')) throw new InputError('cannot use [version] and --latest together');
  await (chaos ? ensureExists(abra, app.recipe) : ensureFresh(abra, app.recipe));
  const deployed = await findDeployed(abra, app.stack);
  if (deployed && !chaos && !call.has('force')) {
    throw new InputError(`${app.name} is already deployed`, { hint: 'use --force' });
  }
  confirm(abra, `deploy ${app.name}?`);
  const options = { converge: !call.has('noConvergeChecks') };
  if (chaos) {
    const version = await chaosVersion(abra, app.recipe);
    return deployTree(abra, app, { version, chaos }, options);
  }
  const pinned = wanted ?? (call.has('latest') ? undefined : app.pin);
  const version = await checkout(abra, app.recipe, pinned ?? (await latestVersion(abra, app.recipe)));
  return deployTree(abra, app, { version, chaos }, options);
}

async function upgrade(call: Call): Promise<void> {
  if (!call.has('releasenotes')) return move(call, 'upgrade');
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  await ensureFresh(abra, app.recipe);
  const target = await chooseTarget(call, app, await requireDeployed(abra, app), 'upgrade');
  if (!target) return;
  for (const line of await releaseNotes(app.folder, target.passed)) abra.print(line);
}

/** Deploys another version over the one that runs. */
async function move(call: Call, direction: 'upgrade' | 'downgrade'): Promise<void> {
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  await ensureFresh(abra, app.recipe);
  const deployed = await requireDeployed(abra, app);
  const target = await chooseTarget(call, app, deployed, direction);
  if (!target) return;
  confirm(abra, `${direction} ${app.name} from ${deployed.version} to ${target.version}?`);
  const version = await checkout(abra, app.recipe, target.version);
  if (direction === 'upgrade') {
    for (const line of await releaseNotes(app.folder, target.passed)) abra.log.info(line);
  }
  await deployTree(abra, app, { version, chaos: false }, { converge: !call.has('noConvergeChecks') });
}

/**
 * Where to move to: the version that was asked for, else the newest (for a downgrade: the newest older one), and
 * the versions passed on the way. Undefined, and said so, where there is nowhere to go.
 */
async function chooseTarget(
  call: Call,
  app: App,
  deployed: Deployed,
  direction: 'upgrade' | 'downgrade',
): Promise<{ version: string; passed: string[] } | undefined> {
  const { published } = await versionsOf(call.abra, app.recipe);
  const upwards = direction === 'upgrade';
  const available = upwards ? newerThan(published, deployed.version) : olderThan(published, deployed.version);
  const wanted = call.args[1];
  if (wanted !== undefined) {
    requireDirection(wanted, deployed.version, direction, call.has('force'));
    return {
      version: wanted,
      passed: upwards ? available.filter((version) => notAfter(version, wanted)) : [],
    };
  }
  const newest = available.at(-1) ?? (call.has('force') ? published.at(-1) : undefined);
  if (newest === undefined) {
    call.abra.log.info(`no available ${direction}s`);
    return undefined;
  }
  return { version: newest, passed: upwards ? available : [] };
}

function notAfter(version: string, limit: string): boolean {
  const [a, b] = [parseVersion(version), parseVersion(limit)];
  return a !== undefined && b !== undefined && compareVersions(a, b) <= 0;
}

function requireDirection(
  wanted: string,
  current: string,
  direction: 'upgrade' | 'downgrade',
  force: boolean,
): void {
  const to = parseVersion(wanted);
  if (!to)
    throw new InputError(`"${wanted}" is not a version`, { hint: 'they are <recipe semver>+<app version>' });
  const from = parseVersion(current);
  if (!from || force) return;
  const order = compareVersions(to, from);
  if (direction === 'upgrade' ? order > 0 : order < 0) return;
  throw new InputError(
    `${wanted} is not ${direction === 'upgrade' ? 'an upgrade' : 'a downgrade'} for ${current}?`,
  );
}

async function restart(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  const wanted = call.args[1];
  if (!wanted && !call.has('allServices'))
    throw new InputError('missing [service]', { hint: 'or use --all-services' });
  const { services } = await requireDeployed(abra, app);
  const names = services.map(({ Spec }) => Spec.Name);
  const chosen = wanted ? names.filter((name) => name === `${app.stack}_${wanted}`) : names;
  if (chosen.length === 0) throw new InputError(`${app.name} has no service called "${wanted}"`);
  for (const name of chosen) {
    await dockerClient(abra, ['service', 'update', '--detach', '--force', '--quiet', name]);
  }
  await waitConverged(abra, app.stack, chosen, RESTART_TIMEOUT_SECONDS);
  abra.log.info(`${chosen.join(', ')} restarted`);
}
