import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { StageContext } from '../context.js';
import { runMocha } from '../recipe-tests/run-tests.js';
import { testContext, writeSomeFacts } from '../testing/context.js';

const STACK = 'custom-html_ci_test';

const service = (name: string) => ({
  ID: `id-${name}`,
  CreatedAt: '',
  UpdatedAt: '',
  Spec: {
    Name: `${STACK}_${name}`,
    Labels: {},
    TaskTemplate: { ContainerSpec: { Image: `${name}:1` } },
    Mode: { Replicated: { Replicas: 1 } },
  },
  ServiceStatus: { RunningTasks: 1, DesiredTasks: 2 },
});
const task = (name: string, at: number, state: string, desired: string, error?: string) => ({
  ID: `task-${at}`,
  ServiceID: `id-${name}`,
  CreatedAt: `2026-11-21T10:00:0${at}Z`,
  DesiredState: desired,
  Spec: {},
  Status: {
    Timestamp: '',
    State: state,
    ...(error ? { Err: error } : {}),
    ContainerStatus: { ContainerID: `${name}-${at}` },
  },
});
const TASKS = [
  task('app', 1, 'running', 'shutdown'),
  task('app', 2, 'running', 'running'),
  task('app', 3, 'running', 'running'),
  task('app', 4, 'failed', 'shutdown'),
  task('db', 5, 'failed', 'shutdown', 'task: non-zero exit (1)'),
];

/** Docker's command: notes how it was called, and fails or hangs when it is told to. */
const DOCKER = `#!/bin/sh
printf '%s|' "$@" >> "$(dirname "$0")/calls"; echo >> "$(dirname "$0")/calls"
case "$*" in
  *" false") echo 'no luck' >&2; exit 3;;
  *" hang") exec sleep 1000;;
  *--interactive*) cat;;
  *) echo out; echo err >&2;;
esac
`;

const TESTS = `
import { app } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { describe, it } from 'mocha';

const failureOf = async (running: Promise<unknown>): Promise<Error> =>
  running.then(() => expect.fail('it went well'), (error: Error) => error);

describe('app', () => {
  it('has its facts', () => {
    expect(app).to.include({ url: 'https://custom-html.ci.test', domain: 'custom-html.ci.test', recipe: 'custom-html' });
    expect(app.stack).to.equal('${STACK}');
    expect(app.secrets).to.deep.equal({});
  });
  it('runs programs in the newest running container', async () => {
    expect(await app.exec('app', ['echo', '$HOME'])).to.deep.equal({ exitCode: 0, stdout: 'out\\n', stderr: 'err\\n' });
    expect((await app.exec('app', ['cat'], { input: 'typed', user: 'nobody' })).stdout).to.equal('typed');
  });
  it('fails in the words of the test', async () => {
    const failed = await failureOf(app.exec('app', ['sh', 'false']));
    expect(failed.name).to.equal('CommandFailedError');
    expect(failed.message).to.equal('sh false (in service app) failed with exit code 3:\\nno luck');
    const slow = await failureOf(app.exec('app', ['hang'], { timeoutMs: 300 }));
    expect(slow.message).to.equal('hang (in service app) did not end within 0.3 s and was stopped');
    expect((await failureOf(app.exec('web', ['true']))).message).to.equal('the app has no service web; it has app, db');
    expect((await failureOf(app.exec('db', ['true']))).message).to.equal(
      'service db has no running container: its newest task is failed (task: non-zero exit (1))');
  });
  it('gives logs and services', async () => {
    expect(await app.logs('db')).to.equal('out\\nerr\\n');
    expect((await failureOf(app.logs('web'))).message).to.include('no service web');
    expect(await app.services()).to.deep.equal([
      { name: 'app', image: 'app:1', running: 1, desired: 2 },
      { name: 'db', image: 'db:1', running: 1, desired: 2 },
    ]);
  });
});
`;

describe('the app as tests see it', () => {
  let context: StageContext;
  let dispose: () => Promise<void>;
  let engine: Server;
  let bin: string;
  const before = { PATH: process.env.PATH, DOCKER_HOST: process.env.DOCKER_HOST };

  beforeEach(async () => {
    ({ context, dispose } = await testContext('install'));
    await writeSomeFacts(context.dir);
    engine = createServer(({ url = '' }, response) => {
      const answer = url.startsWith('/services') ? ['app', 'db'].map(service) : TASKS;
      response.end(JSON.stringify(url.includes(encodeURIComponent(STACK)) ? answer : []));
    });
    await new Promise<void>((listening) => engine.listen(0, '127.0.0.1', listening));
    bin = join(context.dir, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'docker'), DOCKER);
    await chmod(join(bin, 'docker'), 0o755);
    process.env.PATH = `${bin}:${before.PATH}`;
    process.env.DOCKER_HOST = `tcp://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    process.env.PATH = before.PATH;
    if (before.DOCKER_HOST === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before.DOCKER_HOST;
    engine.closeAllConnections();
    await new Promise((closed) => engine.close(closed));
    await dispose();
  });

  it('has facts, programs in containers, logs and services', async () => {
    const folder = join(context.config.runner.testsDir, 'custom-html');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'install.test.ts'), TESTS);
    await runMocha(context, ['tests/custom-html/install.test.ts'], { source: 'cc-ci', timeout: 40 });
    expect(context.stage.record.tests.map(({ state }) => state)).to.deep.equal(Array(4).fill('passed'));
    expect((await readFile(join(bin, 'calls'), 'utf8')).split('\n')).to.include.members([
      'exec|app-3|echo|$HOME|',
      'exec|--interactive|--user|nobody|app-3|cat|',
      `service|logs|--raw|${STACK}_db|`,
    ]);
  });
});
