import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { z } from 'zod';
import type { DroneHost } from '../drone-host.js';
import { clientIn } from '../parts/oauth.js';
import { type Report, reconcile, reconcileAlone } from '../reconcile.js';
import { reportLines } from '../words.js';
import {
  applicationsOf,
  type DroneServers,
  type DroneWorld,
  everything,
  makeDroneWorld,
  openToOthers,
} from './drone-world.js';

const RIGHT = { oauth: 'converged', 'drone-token': 'converged', drone: 'converged' };

/** Sets a Drone server up beside a forge, and heals what has drifted; the same on real servers as on stand-ins. */
export function droneHostContract(name: string, start: () => Promise<DroneServers>): void {
  describe(`oauth and drone with ${name}`, () => {
    let world: DroneWorld;
    before(async () => {
      world = await makeDroneWorld(await start());
    });
    after(() => world?.dispose());

    const statesOf = ({ parts }: Report) => Object.fromEntries(parts.map(({ part, state }) => [part, state]));
    const secrets = async () => {
      const client = clientIn(await readFile(world.host.clientFile, 'utf8').catch(() => ''));
      const token = await readFile(world.host.tokenFile, 'utf8').catch(() => '');
      return [world.bot.password, client?.secret, token.trim()].filter(
        (secret) => secret !== undefined && secret !== '',
      );
    };
    /** One run, whose report tells no secret, old or new. */
    const run = async (names = ['drone'], { host = world.host, dryRun = false, ready = 10_000 } = {}) => {
      const before = await secrets();
      const report = await reconcile(world.parts(host, ready), names, { dryRun });
      await world.systemctl.settled();
      const said = JSON.stringify(report);
      for (const secret of [...before, ...(await secrets())]) expect(said).to.not.include(secret);
      return report;
    };
    const expectStates = (report: Report, states: Record<string, string>) =>
      expect(statesOf(report), reportLines(report).join('\n')).to.deep.equal(states);
    const changesOf = ({ parts }: Report) =>
      parts.flatMap(({ changes }) => changes.map(({ found }) => found));
    /** That Drone can sign in as the client it runs with, which takes the right secret. */
    const signInWorks = async () => {
      const token = await readFile(world.host.tokenFile, 'utf8');
      await rm(world.host.tokenFile);
      expectStates(await run(), { ...RIGHT, 'drone-token': 'changed' });
      expect(await readFile(world.host.tokenFile, 'utf8')).to.equal(token);
    };
    const patchRepository = (settings: object) =>
      world.drone('PATCH', `/repos/${world.repository}`, z.unknown(), settings);

    it('go from nothing to right: first the client, then, with a server that runs, all the rest', async () => {
      await world.forge('POST', '/user/applications/oauth2', z.unknown(), {
        name: 'of somebody else',
        redirect_uris: ['https://example.org/login'],
        confidential_client: true,
      });
      const plan = await run(['drone'], { dryRun: true });
      expectStates(plan, { oauth: 'changed', 'drone-token': 'unknown', drone: 'unknown' });
      expect(await applicationsOf(world)).to.have.length(1);

      expectStates(await run(['oauth']), { oauth: 'changed' });
      await world.startDrone();
      const report = await run();
      expectStates(report, { oauth: 'converged', 'drone-token': 'changed', drone: 'changed' });
      expect(report.parts.at(-1)?.notes).to.deep.equal([`${world.repository}, after 90 minutes killed`]);

      const now = await everything(world);
      expect(now.applications.map((it) => it.redirect_uris)).to.deep.equal([
        ['https://example.org/login'],
        [`${world.droneUrl}/login`],
      ]);
      expect(now.repository).to.include({
        ...{ active: true, timeout: 90, trusted: true, protected: false, config_path: '.drone.yml' },
        ...{ ignore_forks: true, ignore_pull_requests: true, user_id: now.user.id },
      });
      expect([now.client.mode, now.token.mode]).to.deep.equal(['600', '600']);
      expect(now.client.text).to.match(/^DRONE_GITEA_CLIENT_ID=[\w-]+\nDRONE_GITEA_CLIENT_SECRET=[\w-]+\n$/);
      expect(now.restarts).to.equal(0);
    });

    it('change nothing when all is right', async () => {
      const right = await everything(world);
      expectStates(await run(['all'], { dryRun: true }), RIGHT);
      expectStates(await run(['all']), RIGHT);
      expect(await everything(world)).to.deep.equal(right);
    });

    it('take turns: one makes what the other then finds', async () => {
      await rm(world.host.clientFile);
      await patchRepository({ timeout: 5 });
      const lock = join(world.dir, 'reconcile.lock');
      const reports = await Promise.all(
        [1, 2].map(() => reconcileAlone(lock, world.parts(world.host, 10_000), ['drone'])),
      );
      await world.systemctl.settled();
      expect(reports.map(({ state }) => state)).to.have.members(['changed', 'converged']);
      expect(await applicationsOf(world)).to.have.length(2);
      await signInWorks();
    });

    it('make a new application where it was deleted, restart Drone, and sign in again', async () => {
      const before = await everything(world);
      const client = clientIn(before.client.text);
      const ours = before.applications.find((it) => it.client_id === client?.id);
      await world.forge('DELETE', `/user/applications/oauth2/${ours?.id}`, z.unknown());
      expectStates(await run(), { oauth: 'changed', 'drone-token': 'changed', drone: 'converged' });
      const now = await everything(world);
      expect(now.restarts).to.equal(before.restarts + 1);
      expect(now.applications).to.have.length(2);
      expect(now.token).to.deep.equal(before.token);
      expect(now.repository).to.deep.equal(before.repository);
      await signInWorks();
    });

    const drifts: [string, () => Promise<unknown>, RegExp][] = [
      [
        'its redirect changed',
        async () => {
          const id = (await applicationsOf(world)).at(-1)?.id;
          await world.forge('PATCH', `/user/applications/oauth2/${id}`, z.unknown(), {
            name: 'Drone, renamed',
            redirect_uris: ['https://elsewhere.example.org/login', `${world.droneUrl}/login`],
            confidential_client: true,
          });
        },
        /"Drone, renamed": sends back to .*elsewhere.* instead of .*, the forge does not take the secret in /,
      ],
      ['its client lost', () => rm(world.host.clientFile), /there is no client in /],
      [
        'its file cut short',
        () => writeFile(world.host.clientFile, 'DRONE_GITEA_CLIENT_ID=x\n'),
        /no client in /,
      ],
      [
        'another secret in its file',
        async () => {
          const text = await readFile(world.host.clientFile, 'utf8');
          await writeFile(world.host.clientFile, text.replace(/SECRET=./, 'SECRET=x'));
        },
        /the forge does not take the secret/,
      ],
    ];
    for (const [what, drift, words] of drifts) {
      it(`give the application with ${what} a new secret, and Drone with it`, async () => {
        const before = await everything(world);
        await drift();
        const report = await run();
        expectStates(report, { ...RIGHT, oauth: 'changed' });
        expect(changesOf(report)[0]).to.match(words);
        const now = await everything(world);
        const ids = (from: typeof now) => from.applications.map(({ id, client_id }) => [id, client_id]);
        expect(ids(now)).to.deep.equal(ids(before));
        expect(now.applications.at(-1)?.redirect_uris).to.deep.equal([`${world.droneUrl}/login`]);
        expect(now.client.mode).to.equal('600');
        expect(now.client.text).to.not.equal(before.client.text);
        expect(now.restarts).to.equal(before.restarts + 1);
        expect([now.user, now.repository, now.token]).to.deep.equal([
          before.user,
          before.repository,
          before.token,
        ]);
        await signInWorks();
      });
    }

    it('restart a Drone that was left running with an older client, and nothing else', async () => {
      // What a run leaves that was killed after it had written the file.
      const before = await everything(world);
      await writeFile(world.host.clientFile, before.client.text);
      const report = await run();
      expectStates(report, { ...RIGHT, oauth: 'changed' });
      expect(changesOf(report)).to.deep.equal(['drone-server.service runs with an older OAuth client']);
      expect((await everything(world)).restarts).to.equal(before.restarts + 1);
      expectStates(await run(), RIGHT);
    });

    it('without a unit say that somebody must restart Drone, and then go on', async () => {
      const { unit: _, ...host } = world.host;
      const id = (await applicationsOf(world)).at(-1)?.id;
      await world.forge('DELETE', `/user/applications/oauth2/${id}`, z.unknown());
      const report = await run(['drone'], { host, ready: 500 });
      expectStates(report, { oauth: 'changed', 'drone-token': 'blocked', drone: 'blocked' });
      expect(report.parts[1]?.obstacles[0]?.todo).to.equal(
        'restart the Drone server, so that it reads that file',
      );
      await world.startDrone();
      expectStates(await run(['drone'], { host }), { ...RIGHT, 'drone-token': 'changed' });
    });

    it('close files that others may read, and leave them as they are', async () => {
      const before = await everything(world);
      await openToOthers(world.host.clientFile);
      await openToOthers(world.host.tokenFile);
      expectStates(await run(), { oauth: 'changed', 'drone-token': 'changed', drone: 'converged' });
      expect(await everything(world)).to.deep.equal(before);
    });

    it('write the token again that was lost, spoilt or replaced', async () => {
      const { token: right, ...before } = await everything(world);
      await writeFile(world.host.tokenFile, 'spoilt\n');
      const spoilt = await run();
      expectStates(spoilt, { ...RIGHT, 'drone-token': 'changed' });
      expect(changesOf(spoilt)).to.deep.equal([`Drone refuses the token in ${world.host.tokenFile}`]);
      const { token: healed, ...now } = await everything(world);
      expect([healed.text, healed.mode]).to.deep.equal([right.text, '600']);
      expect(now).to.deep.equal(before);

      await world.drone('POST', '/user/token?rotate=true', z.unknown());
      expectStates(await run(), { ...RIGHT, 'drone-token': 'changed' });
      expect((await everything(world)).token.text).to.not.equal(right.text);
    });

    it('activate a repository that was deactivated, and leave its settings', async () => {
      await patchRepository({ auto_cancel_pushes: true });
      const before = await everything(world);
      await world.drone('DELETE', `/repos/${world.repository}`, z.unknown());
      const report = await run();
      expectStates(report, { ...RIGHT, drone: 'changed' });
      expect(changesOf(report)).to.deep.equal([`${world.repository} is not active in Drone`]);
      const now = await everything(world);
      const settings = ({ updated: _, version: __, ...rest }: Record<string, unknown>) => rest;
      expect(settings(now.repository)).to.deep.equal(settings(before.repository));
      expect({ ...now, repository: 0 }).to.deep.equal({ ...before, repository: 0 });
    });

    it('set back each setting that was changed, and only those', async () => {
      await patchRepository({ timeout: 60, protected: true, ignore_forks: false, config_path: 'other.yml' });
      const report = await run();
      expectStates(report, { ...RIGHT, drone: 'changed' });
      expect(changesOf(report)).to.have.members([
        'timeout is 60 in Drone',
        'protected is true in Drone',
        'ignore_forks is false in Drone',
        'config_path is other.yml in Drone',
      ]);
      expect((await everything(world)).repository).to.include({ timeout: 90, auto_cancel_pushes: true });
      expectStates(await run(), RIGHT);
    });

    const wrong: [string, () => Promise<Partial<DroneHost>>, Record<string, string>, RegExp][] = [
      [
        'no password',
        async () => ({ passwordFile: join(world.dir, 'nothing') }),
        { oauth: 'blocked', 'drone-token': 'blocked', drone: 'blocked' },
        /CC_CI_FORGE_PASSWORD_FILE=.* cannot be read.*write the password of /,
      ],
      [
        'a wrong password',
        async () => {
          const passwordFile = join(world.dir, 'wrong');
          await writeFile(passwordFile, 'guessed');
          return { passwordFile };
        },
        { oauth: 'blocked', 'drone-token': 'blocked', drone: 'blocked' },
        /does not let .* in: .*HTTP 401.*write the right password into/,
      ],
      [
        'a repository that is not there',
        async () => ({ repository: 'coop/nothing' }),
        { oauth: 'converged', 'drone-token': 'blocked', drone: 'blocked' },
        /sees no repository coop\/nothing at .*make it, with \.drone\.yml/,
      ],
      [
        'another forge than Drone has',
        async () => {
          const forgeUrl = world.forgeUrl.replace('127.0.0.1', 'localhost');
          return { forgeUrl };
        },
        { oauth: 'converged', 'drone-token': 'blocked', drone: 'blocked' },
        /login does not lead to .*DRONE_GITEA_SERVER/,
      ],
    ];
    for (const [what, change, states, words] of wrong) {
      it(`touch nothing with ${what}, and say what to do`, async () => {
        const before = await everything(world);
        const report = await run(['drone'], { host: { ...world.host, ...(await change()) }, ready: 500 });
        expectStates(report, states);
        expect(report.state).to.equal('blocked');
        expect(JSON.stringify(report)).to.match(words);
        expect(await everything(world)).to.deep.equal(before);
      });
    }

    it('touch nothing while the forge is down, and say so', async () => {
      const files = async () =>
        Promise.all([world.host.clientFile, world.host.tokenFile].map((path) => readFile(path, 'utf8')));
      const before = await files();
      await world.stopForge();
      const report = await run();
      expectStates(report, { oauth: 'failed', 'drone-token': 'blocked', drone: 'blocked' });
      expect(report.parts[0]?.error).to.include(`${world.forgeUrl} does not answer`);
      expect(await files()).to.deep.equal(before);
      await world.startForge();
      expectStates(await run(), RIGHT);
    });

    it('ask for the right to administer the repository only where it must be activated', async () => {
      await world.setAdministrator(false);
      expectStates(await run(), RIGHT);
      await world.drone('DELETE', `/repos/${world.repository}`, z.unknown());
      const report = await run();
      expectStates(report, { ...RIGHT, drone: 'blocked' });
      expect(report.parts[2]?.obstacles[0]?.missing).to.include('is no administrator of');
      await world.setAdministrator(true);
      expectStates(await run(), { ...RIGHT, drone: 'changed' });
    });
  });
}
