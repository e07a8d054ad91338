import { appNames, connectDocker, type Docker, disconnectDocker, newRunId, run } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { eventually } from './eventually.js';
import { leftoversOf, removeApp } from './remove-app.js';
import { deploySomething, holdSecret, NO_SUCH_IMAGE } from './testing/app-on-node.js';

describe('removing an app', () => {
  let docker: Docker;
  let stack: string;

  beforeEach(async () => {
    docker = connectDocker();
    stack = appNames('removed', newRunId(), 'ci.test', 0).stack;
    await deploySomething(stack);
  });
  afterEach(async () => {
    await removeApp(docker, stack, 60_000);
    await disconnectDocker(docker);
  });

  const kinds = async () => [...new Set((await leftoversOf(docker, stack)).map(({ kind }) => kind))].sort();

  it('removes everything of it, and twice is the same as once', async () => {
    expect(await kinds()).to.include.members(['config', 'network', 'secret', 'service', 'volume']);
    const found = await removeApp(docker, stack, 60_000);
    expect(found).to.include(`secret ${stack}_token_v1`).and.include(`volume ${stack}_data`);
    expect(await kinds()).to.deep.equal([]);
    expect(await removeApp(docker, stack, 60_000)).to.deep.equal([]);
  });

  it('knows of tasks that have no container yet', async () => {
    const flags = ['--detach', '--quiet', '--no-resolve-image', '--constraint', 'node.labels.no==where'];
    const labels = ['--label', `com.docker.stack.namespace=${stack}`];
    await run('docker', [
      'service',
      'create',
      ...flags,
      ...labels,
      '--name',
      `${stack}_waits`,
      NO_SUCH_IMAGE,
    ]);
    await eventually(async () => {
      const names = (await leftoversOf(docker, stack)).map(({ kind, name }) => `${kind} ${name}`);
      expect(names.join()).to.match(/task \w+ \(pending\)/);
    });
    await removeApp(docker, stack, 60_000);
    expect(await kinds()).to.deep.equal([]);
  });

  it('touches no app whose name only begins alike', async () => {
    const other = `${stack}x`;
    await deploySomething(other);
    await removeApp(docker, stack, 60_000);
    expect(await leftoversOf(docker, other)).to.have.length.greaterThan(4);
    await removeApp(docker, other, 60_000);
  });

  it('names what it cannot remove', async () => {
    const user = await holdSecret(stack);
    const error = await removeApp(docker, stack, 1_000).catch((thrown) => thrown);
    await user.release();
    expect(error.message).to.match(/still on the node after 1 s: .*\bsecret \S+_token_v1 .*\(.*in use/);
  });
});
