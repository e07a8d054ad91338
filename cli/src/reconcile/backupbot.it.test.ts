import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DockerService, listSecrets, listServices } from '@cc-ci/core';
import { reconcile } from '@cc-ci/reconcile';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type BlankHost, changesOf, killedWhere, statesOf, useBlankHost, ZONE } from './testing/host.js';

const STACK = `backup.${ZONE}`.replaceAll('.', '_');

describe('the part backupbot', () => {
  let host: BlankHost;
  useBlankHost((started) => {
    host = started;
  });

  const converge = () => reconcile(host.parts(), ['backupbot']);
  const passwordFile = () => join(host.env.CC_CI_HOST_DIR ?? '', 'restic-password');
  const secrets = () => listSecrets(host.engine.docker, `${STACK}_`);
  async function app(): Promise<DockerService> {
    const [service] = await listServices(host.engine.docker, STACK);
    if (!service) throw new Error(`there is no service of ${STACK}`);
    return service;
  }
  const repositoryOf = ({ Spec }: DockerService) =>
    (Spec.TaskTemplate.ContainerSpec.Env ?? []).find((line) => line.startsWith('RESTIC_REPOSITORY='));
  const inApp = async (...command: string[]) => {
    const id = await host.engine.client('ps', '--quiet', '--filter', `name=${STACK}_app`);
    return host.engine.client('exec', id, ...command);
  };

  it('is finished by the next run when one was killed with the password made', async () => {
    await killedWhere(host, ['backupbot'], { part: 'backupbot', change: 2 });
    const password = await readFile(passwordFile(), 'utf8');
    expect(statesOf(await converge())).to.deep.equal({ swarm: 'converged', backupbot: 'changed' });
    expect(await readFile(passwordFile(), 'utf8')).to.equal(password);
  });

  it('has one password, that root alone can read here, and a repository in its volume', async () => {
    const password = (await readFile(passwordFile(), 'utf8')).trim();
    expect(password).to.match(/^[0-9a-f]{64}$/);
    expect((await stat(passwordFile())).mode & 0o777).to.equal(0o600);
    expect(await inApp('cat', '/run/secrets/restic_password')).to.equal(password);
    const { Spec, ServiceStatus } = await app();
    expect(ServiceStatus).to.include({ RunningTasks: 1, DesiredTasks: 1 });
    expect(Spec.Labels).to.include({ 'coop-cloud.backupbot.enabled': 'true' });
    const repository = repositoryOf(await app()) ?? '';
    expect(repository).to.match(/^RESTIC_REPOSITORY=\/backups\/restic-[0-9a-f]{8}$/);
    expect(Spec.TaskTemplate.ContainerSpec.Mounts?.map(({ Target }) => Target)).to.deep.equal(['/backups']);
  });

  it('is left alone by the next run', async () => {
    const before = { app: await app(), secrets: await secrets() };
    const report = await converge();
    expect(report.state).to.equal('converged');
    expect({ app: await app(), secrets: await secrets() }).to.deep.equal(before);
    expect(JSON.stringify(report)).to.not.include((await readFile(passwordFile(), 'utf8')).trim());
  });

  it('is scaled back, and keeps its password', async () => {
    const before = await secrets();
    await host.engine.client('service', 'scale', '--detach', `${STACK}_app=0`);
    const report = await converge();
    expect(changesOf(report, 'backupbot')).to.deep.equal([
      'service app is scaled to 0 instead of 1: scale it back',
    ]);
    // The task of before may be ending still.
    expect((await app()).ServiceStatus?.RunningTasks).to.be.at.least(1);
    expect(await secrets()).to.deep.equal(before);
  });

  it('keeps its password when the stack was removed with the secret', async () => {
    const before = repositoryOf(await app());
    const [secret] = await secrets();
    await host.engine.client('stack', 'rm', STACK);
    await host.engine.client('secret', 'rm', secret?.name ?? '');
    expect((await converge()).state).to.equal('changed');
    expect(repositoryOf(await app())).to.equal(before);
    expect((await secrets()).map(({ name }) => name)).to.deep.equal([secret?.name]);
  });

  it('begins a new repository beside the old when the password was lost', async () => {
    const before = repositoryOf(await app());
    await rm(host.env.CC_CI_HOST_DIR ?? '', { recursive: true });
    const report = await converge();
    expect(statesOf(report)).to.include({ backupbot: 'changed' });
    expect(repositoryOf(await app()))
      .to.match(/restic-[0-9a-f]{8}$/)
      .and.not.equal(before);
    expect(await inApp('cat', '/run/secrets/restic_password')).to.equal(
      (await readFile(passwordFile(), 'utf8')).trim(),
    );
    expect((await converge()).state).to.equal('converged');
  });
});
