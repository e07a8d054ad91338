import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDocker, disconnectDocker, networksNamed, run, swarmState, tryLock } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, before, beforeEach, describe, it } from 'mocha';
import type { Change, Part } from './part.js';
import { networkPart } from './parts/network.js';
import { swarmPart } from './parts/swarm.js';
import { type Report, reconcile, reconcileAlone } from './reconcile.js';
import { type BlankEngine, canStartBlankEngine, startBlankEngine } from './testing/blank-engine.js';

/** States by part; of a part that failed, why. */
const statesOf = ({ parts }: Report) =>
  Object.fromEntries(parts.map(({ part, state, error }) => [part, error ?? state]));

/** Lines without those about networks that Docker makes for a swarm by itself, some time after it has begun. */
const withoutDockers = (text: string) =>
  text.split('\n').filter((line) => line && !/docker_gwbridge|ingress/.test(line));

describe('swarm and network on an engine', () => {
  let engine: BlankEngine;
  let parts: Part[];
  let dir: string;
  before(async function () {
    if (!(await canStartBlankEngine())) this.skip();
  });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-reconcile-'));
    engine = await startBlankEngine();
    parts = [swarmPart(engine.docker, { advertiseAddress: '127.0.0.1' }), networkPart(engine.docker)];
  });
  afterEach(async () => {
    await engine.stop();
    await rm(dir, { recursive: true });
  });

  /** Everything there is that a run could touch, with ids. */
  async function everything() {
    const [swarm, networks, services] = await Promise.all([
      engine.client(
        'info',
        '--format',
        '{{.Swarm.Cluster.ID}} {{.Swarm.Cluster.UpdatedAt}} {{.Swarm.NodeID}}',
      ),
      engine.client('network', 'ls', '--no-trunc', '--format', '{{.ID}} {{.Name}} {{.Driver}}'),
      engine.client('service', 'ls', '--format', '{{.ID}} {{.Name}}'),
    ]);
    return { swarm, networks: withoutDockers(networks).sort(), services };
  }
  const proxies = () => networksNamed(engine.docker, 'proxy');

  it('go from a blank engine to right in one run, and the second changes nothing', async () => {
    const plan = await reconcile(parts, ['network'], { dryRun: true });
    expect(statesOf(plan)).to.deep.equal({ swarm: 'changed', network: 'unknown' });
    expect((await swarmState(engine.docker)).LocalNodeState).to.equal('inactive');

    expect(statesOf(await reconcile(parts, ['network']))).to.deep.equal({
      swarm: 'changed',
      network: 'changed',
    });
    expect(await swarmState(engine.docker)).to.include({
      LocalNodeState: 'active',
      NodeAddr: '127.0.0.1',
      Nodes: 1,
    });
    expect(await proxies()).to.have.length(1);
    expect((await proxies())[0]).to.include({ Driver: 'overlay', Scope: 'swarm', Internal: false });

    const right = await everything();
    const began = await engine.client('info', '--format', '{{.SystemTime}}');
    expect(statesOf(await reconcile(parts, ['all']))).to.deep.equal({
      swarm: 'converged',
      network: 'converged',
    });
    expect(await everything()).to.deep.equal(right);
    const ended = await engine.client('info', '--format', '{{.SystemTime}}');
    const happened = await engine.client('events', '--since', began, '--until', ended);
    expect(withoutDockers(happened)).to.deep.equal([]);
  });

  it('heal a network that was removed, and touch nothing else', async () => {
    await reconcile(parts, ['all']);
    await engine.client('network', 'create', '--driver', 'overlay', 'other');
    const before = await everything();
    await engine.client('network', 'rm', 'proxy');
    const report = await reconcile(parts, ['all']);
    expect(statesOf(report)).to.deep.equal({ swarm: 'converged', network: 'changed' });
    expect(report.parts[1]?.changes).to.deep.equal([
      { found: 'there is no overlay network proxy', plan: 'make it' },
    ]);
    const now = await everything();
    const others = (networks: string[]) => networks.filter((line) => !line.includes(' proxy '));
    expect(now.swarm).to.equal(before.swarm);
    expect(others(now.networks)).to.deep.equal(others(before.networks));
    expect(await proxies()).to.have.length(1);
  });

  it('replace a network of another driver only while nothing uses it', async () => {
    await reconcile(parts, ['swarm']);
    await engine.client('network', 'create', 'proxy');
    await run('tar', ['--create', '--files-from', '/dev/null', '--file', join(dir, 'empty.tar')]);
    await engine.client('import', join(dir, 'empty.tar'), 'empty');
    await engine.client('create', '--name', 'web', '--network', 'proxy', 'empty', 'nothing');
    const before = await everything();
    const blocked = await reconcile(parts, ['network']);
    expect(statesOf(blocked)).to.deep.equal({ swarm: 'converged', network: 'blocked' });
    expect(blocked.parts[1]?.obstacles[0]?.missing).to.match(
      /^a network proxy \(\w{12}\) has the driver bridge instead of overlay, and is used by container web$/,
    );
    expect(await everything()).to.deep.equal(before);

    await engine.client('rm', 'web');
    const healed = await reconcile(parts, ['network']);
    expect(healed.parts[1]?.changes.map(({ plan }) => plan)).to.deep.equal([
      'remove it, nothing uses it',
      'make it',
    ]);
    expect((await proxies()).map(({ Driver }) => Driver)).to.deep.equal(['overlay']);
  });

  it('leave a network that is closed to the outside to the services on it, and name them', async () => {
    await reconcile(parts, ['swarm']);
    await engine.client('network', 'create', '--driver', 'overlay', '--internal', 'proxy');
    await engine.client(
      'service',
      'create',
      '--detach',
      '--no-resolve-image',
      '--replicas',
      '0',
      '--name',
      'a_app',
      '--network',
      'proxy',
      'x',
    );
    const before = await everything();
    const blocked = await reconcile(parts, ['network']);
    expect(blocked.state).to.equal('blocked');
    expect(blocked.parts[1]?.obstacles[0]?.missing)
      .to.include('is internal')
      .and.include('used by service a_app');
    expect(await everything()).to.deep.equal(before);
    await engine.client('service', 'rm', 'a_app');
    expect((await reconcile(parts, ['network'])).state).to.equal('changed');
    expect((await proxies()).map(({ Internal }) => Internal)).to.deep.equal([false]);
  });

  it('leave a swarm alone that is locked, and one whose node is drained', async () => {
    await reconcile(parts, ['all']);
    const right = await everything();
    await engine.client(
      'node',
      'update',
      '--availability',
      'drain',
      (await swarmState(engine.docker)).NodeID,
    );
    const drained = await reconcile(parts, ['all']);
    expect(statesOf(drained)).to.deep.equal({ swarm: 'blocked', network: 'blocked' });
    expect(drained.parts[0]?.obstacles[0]?.missing).to.include('availability drain');
    // The command that the obstacle names.
    const words = (drained.parts[0]?.obstacles[0]?.todo ?? '').split(' ').slice(1);
    await engine.client(...words);
    expect((await reconcile(parts, ['all'])).state).to.equal('converged');
    expect((await everything()).networks).to.deep.equal(right.networks);

    await engine.client('swarm', 'update', '--autolock=true');
    const key = await engine.client('swarm', 'unlock-key', '--quiet');
    await engine.restart();
    const locked = await reconcile(parts, ['all']);
    expect(locked.parts[0]?.obstacles[0]).to.include({ missing: 'the swarm is locked', whose: 'operator' });
    expect((await swarmState(engine.docker)).LocalNodeState).to.equal('locked');
    await run('docker', ['--host', engine.host, 'swarm', 'unlock'], { input: `${key}\n`, timeoutMs: 30_000 });
    expect((await reconcile(parts, ['all'])).state).to.equal('converged');
    expect((await everything()).networks).to.deep.equal(right.networks);
  });

  it('are right after the engine was restarted, without a change', async () => {
    await reconcile(parts, ['all']);
    const before = await everything();
    await engine.restart();
    expect((await reconcile(parts, ['all'])).state).to.equal('converged');
    expect((await everything()).networks).to.deep.equal(before.networks);
  });

  it('are done once by two at once, with the lock and without', async () => {
    const lockFile = join(dir, 'lock');
    const both = await Promise.all([1, 2].map(() => reconcileAlone(lockFile, parts, ['all'])));
    expect(both.map(({ state }) => state).sort()).to.deep.equal(['changed', 'converged']);
    expect(await proxies()).to.have.length(1);

    // Somebody who knows nothing of the lock comes between look and act: the second look decides.
    await engine.client('network', 'rm', 'proxy');
    const overtaken = parts.map(
      (part): Part => ({
        ...part,
        async look() {
          const seen = await part.look();
          const apply = async (change: Change) => {
            await engine.client('network', 'create', '--driver', 'overlay', 'proxy');
            await change.apply();
          };
          return {
            ...seen,
            changes: seen.changes.map((change) => ({ ...change, apply: () => apply(change) })),
          };
        },
      }),
    );
    const report = await reconcile(overtaken, ['network']);
    expect(report.state).to.equal('changed');
    expect(report.parts[1]?.notes.join()).to.match(
      /right all the same: .*network with name proxy already exists/,
    );
    expect(await proxies()).to.have.length(1);
  });

  for (const [index, at] of ['no swarm', 'a network of another driver', 'no network'].entries()) {
    it(`are finished by the next run when one was killed at ${at}`, async () => {
      await engine.client('network', 'create', 'proxy');
      const lockFile = join(dir, 'lock');
      await killAtChange(index + 1, lockFile);
      expect(tryLock(lockFile), 'the lock ends with the process').to.not.equal(undefined);
      const report = await reconcile(parts, ['all']);
      expect(report.parts.flatMap(({ changes }) => changes.map(({ plan }) => plan))).to.deep.equal(
        ['begin one at 127.0.0.1', 'remove it, nothing uses it', 'make it'].slice(index),
      );
      expect(report.state).to.equal('changed');
      expect((await reconcile(parts, ['all'])).state).to.equal('converged');
    });
  }

  /** Runs the same in a process that is killed right before its change number `at`. */
  async function killAtChange(at: number, lockFile: string): Promise<void> {
    const module = new URL('./index.js', import.meta.url).href;
    const script = `import { connectDocker } from '@cc-ci/core';
      import { networkPart, reconcileAlone, swarmPart } from ${JSON.stringify(module)};
      const docker = connectDocker(${JSON.stringify(engine.host)});
      const parts = [swarmPart(docker, { advertiseAddress: '127.0.0.1' }), networkPart(docker)];
      let count = 0;
      const onChange = () => { if (++count === ${at}) process.kill(process.pid, 'SIGKILL'); };
      await reconcileAlone(${JSON.stringify(lockFile)}, parts, ['all'], { onChange });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [, signal] = await once(child, 'exit');
    expect(signal).to.equal('SIGKILL');
  }
});

describe("the machine's own engine", () => {
  it('is looked at without a change', async () => {
    const docker = connectDocker();
    try {
      const report = await reconcile([swarmPart(docker, {}), networkPart(docker)], ['all'], { dryRun: true });
      expect(statesOf(report)).to.deep.equal({ swarm: 'converged', network: 'converged' });
    } finally {
      await disconnectDocker(docker);
    }
  });
});
