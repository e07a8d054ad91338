import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import {
  applicationsOf,
  type DroneWorld,
  everything,
  makeDroneWorld,
  standInServers,
} from '@cc-ci/reconcile/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { z } from 'zod';

const CC_CI = fileURLToPath(new URL('../../bin/cc-ci.js', import.meta.url));

describe('cc-ci reconcile of a Drone server', () => {
  let world: DroneWorld;
  let onRequest: ((line: string) => void) | undefined;
  beforeEach(async () => {
    onRequest = undefined;
    world = await makeDroneWorld(await standInServers((line) => onRequest?.(line)));
  });
  afterEach(() => world.dispose());

  const settings = () => ({
    CC_CI_HOST_DIR: dirname(world.host.clientFile),
    CC_CI_FORGE_URL: world.forgeUrl,
    CC_CI_FORGE_BOT: world.bot.login,
    CC_CI_FORGE_PASSWORD_FILE: world.host.passwordFile,
    CC_CI_DRONE_URL: world.droneUrl,
    CC_CI_DRONE_REPOSITORY: world.repository,
    CC_CI_DRONE_UNIT: 'drone-server.service',
  });
  function start(part: string, env: NodeJS.ProcessEnv = settings()) {
    const PATH = `${dirname(world.systemctl.path)}:${process.env.PATH}`;
    const child = spawn(process.execPath, [CC_CI, 'reconcile', part], {
      env: { PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(
      ([[code], stdout, stderr]) => ({ code: code as number | null, stdout, stderr }),
    );
    return { child, ended };
  }
  const reconcile = async (part: string, env?: NodeJS.ProcessEnv) => {
    const ended = await start(part, env).ended;
    await world.systemctl.settled();
    return ended;
  };

  it('says in its exit code and in words what it did, and no secret', async () => {
    const first = await reconcile('oauth');
    expect(first.code, first.stderr).to.equal(3);
    await world.startDrone();
    const second = await reconcile('drone');
    expect(second.code, second.stdout).to.equal(3);
    expect(second.stderr.match(/^.*?:/gm)).to.deep.equal(['drone-token:', 'drone:', 'drone:', 'drone:']);
    const third = await reconcile('drone');
    expect(third).to.deep.equal({
      code: 0,
      stderr: '',
      stdout: [
        'oauth        converged',
        `    OAuth application "Drone at ${new URL(world.droneUrl).host}" for ${world.droneUrl}/login`,
        'drone-token  converged',
        `    ${world.bot.login} at ${world.droneUrl}`,
        'drone        converged',
        `    ${world.repository}, after 90 minutes killed`,
        '',
      ].join('\n'),
    });
    const { client, token } = await everything(world);
    const said = [first, second, third].map(({ stdout, stderr }) => stdout + stderr).join('');
    for (const secret of [world.bot.password, client.text.split('=').at(-1)?.trim(), token.text.trim()])
      expect(said).to.not.include(secret);
  });

  it('has nothing to do on a host without a Drone server, and says which settings one lacks', async () => {
    const none = await reconcile('drone', { CC_CI_HOST_DIR: world.dir });
    expect(none.code).to.equal(0);
    expect(none.stdout).to.include('no Drone server is set up by this host: CC_CI_FORGE_BOT is not set');
    const half = await reconcile('oauth', { CC_CI_HOST_DIR: world.dir, CC_CI_FORGE_BOT: 'bot' });
    expect(half.code).to.equal(4);
    expect(half.stdout.match(/CC_CI_\w+ is not set, and/g)).to.have.length(4);
  });

  // The server carries the request out, and nobody hears of it.
  const moments = [
    'POST /api/v1/user/applications/oauth2',
    'POST /user/login',
    'POST /login/oauth/grant',
    'POST /api/user/token',
    'POST /api/repos/coop/cc-ci',
    'PATCH /api/repos/coop/cc-ci',
  ];
  it('finishes in one run what another began that was killed', async () => {
    await reconcile('oauth');
    await world.startDrone();
    await reconcile('drone');
    const right = await everything(world);
    for (const moment of moments) {
      for (const { id } of await applicationsOf(world))
        await world.forge('DELETE', `/user/applications/oauth2/${id}`, z.unknown());
      const path = `/repos/${world.repository}`;
      await world.drone('PATCH', path, z.unknown(), { timeout: 60, ignore_forks: false });
      await world.drone('DELETE', path, z.unknown());
      await rm(world.host.tokenFile);

      const { child, ended } = start('drone');
      onRequest = (line) => {
        if (line === moment) child.kill('SIGKILL');
      };
      expect((await ended).code, moment).to.equal(null);
      onRequest = undefined;
      await world.systemctl.settled();

      const healing = await reconcile('drone');
      expect(healing.code, `${moment}\n${healing.stdout}`).to.equal(3);
      const healed = await everything(world);
      expect(healed.applications, moment).to.have.length(1);
      expect(healed.repository, moment).to.deep.equal(right.repository);
      expect(healed.token.text, moment).to.equal(right.token.text);
    }
    expect((await reconcile('drone')).code).to.equal(0);
  });

  it('takes turns with another', async () => {
    await reconcile('oauth');
    await world.startDrone();
    const both = await Promise.all([start('drone').ended, start('drone').ended]);
    expect(both.map(({ code }) => code)).to.have.members([0, 3]);
    expect(await applicationsOf(world)).to.have.length(1);
  });
});
