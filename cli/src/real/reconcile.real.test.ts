import { randomBytes } from 'node:crypto';
import { type DroneServers, droneHostContract } from '@cc-ci/reconcile/testing';
import { callForge } from '@cc-ci/sandbox';
import { freePort, type RealDrone, startDrone, startGitea } from '@cc-ci/sandbox/real';

droneHostContract('a real Gitea and a real Drone', startServers);

/** A Gitea with a bot that administers the repository cc-ci, and where a Drone will be. */
async function startServers(): Promise<DroneServers> {
  const gitea = await startGitea({ issueIndexer: 'db' });
  try {
    const bot = { login: 'cc-ci-bot', password: randomBytes(12).toString('base64url') };
    const asAdmin = (method: 'POST' | 'PUT', path: string, body: unknown) =>
      callForge(gitea.url, gitea.admin, method, path, body);
    await asAdmin('POST', '/admin/users', {
      username: bot.login,
      email: 'bot@example.org',
      password: bot.password,
      must_change_password: false,
    });
    await asAdmin('POST', '/orgs', { username: 'coop' });
    await asAdmin('POST', '/orgs/coop/repos', { name: 'cc-ci', auto_init: true, private: true });
    const setAdministrator = async (may: boolean) => {
      const permission = may ? 'admin' : 'write';
      await asAdmin('PUT', `/repos/coop/cc-ci/collaborators/${bot.login}`, { permission });
    };
    await setAdministrator(true);
    const port = await freePort();
    let drone: RealDrone | undefined;
    return {
      forgeUrl: gitea.url,
      droneUrl: `http://127.0.0.1:${port}`,
      bot,
      repository: 'coop/cc-ci',
      async startDrone(client) {
        if (drone) return drone.start(client);
        drone = await startDrone({ forgeUrl: gitea.url, client, admin: bot.login, port });
      },
      stopForge: gitea.stop,
      startForge: gitea.start,
      setAdministrator,
      async dispose() {
        await drone?.dispose();
        await gitea.dispose();
      },
    };
  } catch (error) {
    await gitea.dispose();
    throw error;
  }
}
