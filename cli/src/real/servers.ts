import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, writeFileAtomic } from '@cc-ci/core';
import { dronePart, droneTokenPart, oauthPart, reconcile, reportLines } from '@cc-ci/reconcile';
import { clientIn } from '@cc-ci/reconcile/testing';
import { createOrganisation, type Organisation, publishRecipe } from '@cc-ci/sandbox';
import { freePort, type RealDrone, type RealGitea, startDrone, startGitea } from '@cc-ci/sandbox/real';

/** A real Gitea and a real Drone beside it, provisioned as on a host. */
export interface RealServers {
  gitea: RealGitea;
  drone: RealDrone & {
    /** The token of its administrator. */
    token: string;
  };
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
 * Starts both servers and provisions them: organisation, member, stranger, read-level bot and the repository `cc-ci` by
 * Gitea's API; OAuth application, token and activation by `cc-ci reconcile`, with Gitea's administrator as its bot.
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
    const repository = `${org}/cc-ci`;
    const port = await freePort();
    const { login: bot, password } = gitea.admin;
    const host = {
      forgeUrl: gitea.url,
      bot,
      passwordFile: join(folder, 'password'),
      droneUrl: `http://127.0.0.1:${port}`,
      repository,
      clientFile: join(folder, 'drone-oauth.env'),
      tokenFile: join(folder, 'drone-token'),
      timeoutMinutes: 60,
    };
    await writeFileAtomic(host.passwordFile, password, 0o600);
    const maybe = { is: 'whole', host } as const;
    const parts = [oauthPart(maybe), droneTokenPart(maybe), dronePart(maybe)];
    const converge = async (name: string) => {
      const report = await reconcile(parts, [name]);
      if (report.state !== 'changed') throw new Error(reportLines(report).join('\n'));
    };
    await converge('oauth');
    const client = clientIn(await readFile(host.clientFile, 'utf8'));
    if (!client) throw new Error('there is no OAuth client');
    const drone = await startDrone({ forgeUrl: gitea.url, client, admin: bot, port });
    undo.push(drone.dispose);
    await converge('drone');
    const token = (await readFile(host.tokenFile, 'utf8')).trim();
    return { gitea, drone: { ...drone, token }, organisation, repository, dispose };
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
