import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@cc-ci/core';
import { activateRepository } from '../provision/drone.js';
import { createOrganisation, type Organisation, publishRecipe } from '../provision/index.js';
import { type RealDrone, startDrone } from './drone.js';
import { type RealGitea, startGitea } from './gitea.js';

/** A real Gitea and a real Drone beside it, provisioned as on a host. */
export interface RealServers {
  gitea: RealGitea;
  drone: RealDrone;
  organisation: Organisation;
  /** The repository that Drone builds, `org/cc-ci`. */
  repository: string;
  dispose(): Promise<void>;
}

/** What its repository `cc-ci` holds. */
export interface CcCiRepository {
  /** The text of its `.drone.yml`. */
  droneYml: string;
  /** A folder that it has as `tests`. */
  testsDir?: string;
}

/**
 * Starts both servers and provisions them: organisation, member, stranger, read-level bot, the repository `cc-ci`, the
 * OAuth application, a token, the activation.
 */
export async function startRealServers(
  { droneYml, testsDir }: CcCiRepository,
  org = 'coop',
): Promise<RealServers> {
  const undo: (() => Promise<void>)[] = [];
  const dispose = async () => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const gitea = await startGitea();
    undo.push(gitea.dispose);
    const organisation = await createOrganisation(gitea.url, gitea.admin, org);
    const folder = await mkdtemp(join(tmpdir(), 'cc-ci-real-'));
    undo.push(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, '.drone.yml'), droneYml);
    if (testsDir) await cp(testsDir, join(folder, 'tests'), { recursive: true });
    await commitAll(folder);
    await publishRecipe(organisation, 'cc-ci', folder);
    const drone = await startDrone({ forgeUrl: gitea.url, admin: gitea.admin });
    undo.push(drone.dispose);
    const repository = `${org}/cc-ci`;
    await activateRepository(drone.url, drone.token, repository);
    return { gitea, drone, organisation, repository, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function commitAll(folder: string): Promise<void> {
  const git = (...args: string[]) =>
    run('git', ['-C', folder, '-c', 'user.name=cc-ci', '-c', 'user.email=cc-ci@example.org', ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'begin');
}
