import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpStatusError, sendSignal } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { callDrone } from '@cc-ci/reconcile/testing';
import { type ExecRunner, startDroneRunner, startExecRunner } from '@cc-ci/sandbox/real';
import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { z } from 'zod';
import { type RealServers, startRealServers } from './servers.js';

const DRONE_YML = `kind: pipeline
type: exec
name: test
platform: { os: linux, arch: amd64 }
# The push that brought this file may be told to Drone only after it was activated.
trigger: { event: [custom] }
steps:
  - name: install
    environment: { STAGE: install }
    commands:
      - echo "$STAGE $RECIPE $DRONE_BUILD_NUMBER" > "$FOLDER/install"
      - echo "home $HOME, here $PWD, user $USER, place $PLACE, path $PATH"
      - test -e .drone.yml
      - sleep 120 & echo $! > "$FOLDER/child"
      - until [ -s "$FOLDER/exit" ]; do sleep 0.05; done
      - kill "$(cat "$FOLDER/child")"
      - exit "$(cat "$FOLDER/exit")"
  - name: upgrade
    commands: [echo upgraded > "$FOLDER/upgrade"]
  - name: teardown
    commands: ['echo "after $DRONE_FAILED_STEPS" > "$FOLDER/teardown"']
    when: { status: [success, failure] }
`;

const step = z.looseObject({ name: z.string(), status: z.string(), exit_code: z.number() });
const build = z.looseObject({
  number: z.number(),
  status: z.string(),
  params: z.record(z.string(), z.string()).optional(),
  stages: z.array(z.looseObject({ status: z.string(), steps: z.array(step).default([]) })).default([]),
});
const lines = z.array(z.looseObject({ pos: z.number(), out: z.string() }));

describe('a real Drone on a real Gitea', () => {
  let servers: RealServers;
  let runner: ExecRunner;
  let folder: string;
  before(async () => {
    servers = await startRealServers({ droneYml: DRONE_YML });
    runner = await startExecRunner(servers.drone, { environ: { PLACE: 'here' } });
  });
  after(async () => {
    await runner?.stop();
    await servers?.dispose();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-build-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const inFolder = (name: string) => readFile(join(folder, name), 'utf8').catch(() => undefined);

  const call = <S extends z.ZodType>(method: 'GET' | 'POST' | 'DELETE', path: string, schema: S) =>
    callDrone(servers.drone.url, servers.drone.token, method, `/repos/${servers.repository}${path}`, schema);
  const start = async (params: Record<string, string>) => {
    const query = new URLSearchParams({ branch: 'main', FOLDER: folder, ...params });
    return call('POST', `/builds?${query}`, build);
  };
  const get = (number: number) => call('GET', `/builds/${number}`, build);
  const ended = async (number: number) => {
    await until(async () => !['pending', 'running'].includes((await get(number)).status));
    return get(number);
  };
  const begun = () => until(async () => (await inFolder('child')) !== undefined);
  const stepsOf = ({ stages }: z.output<typeof build>) =>
    stages.flatMap(({ steps }) => steps.map(({ name, status, exit_code }) => [name, status, exit_code]));

  it('builds with parameters as they are, shows them, and keeps the log of every step', async () => {
    // A parameter goes before PATH and before what the runner adds, but not before what is Drone's.
    const { number } = await start({ RECIPE: 'a b;$(id)', USER: 'parameter', HOME: '/nowhere' });
    await begun();
    expect((await get(number)).status).to.equal('running');
    await writeFile(join(folder, 'exit'), '0');
    const end = await ended(number);
    expect(end.status).to.equal('success');
    expect(end.params).to.deep.include({ RECIPE: 'a b;$(id)' });
    expect(stepsOf(end)).to.deep.equal([
      ['clone', 'success', 0],
      ['install', 'success', 0],
      ['upgrade', 'success', 0],
      ['teardown', 'success', 0],
    ]);
    expect(await inFolder('install')).to.equal(`install a b;$(id) ${number}\n`);
    expect(await inFolder('teardown')).to.equal('after \n');
    const log = await call('GET', `/builds/${number}/logs/1/2`, lines);
    const said = log.map(({ out }) => out).join('');
    expect(log.map(({ pos }) => pos)).to.deep.equal(log.map((_, index) => index));
    expect(said).to.match(
      /home \S*drone-\S+home\/drone, here \S*drone-\S+drone\/src, user parameter, place here, path \S*bin/,
    );
  });

  it('says how a step failed, skips what comes after, and tidies up', async () => {
    const { number } = await start({ RECIPE: 'x' });
    await begun();
    await writeFile(join(folder, 'exit'), '2');
    const end = await ended(number);
    expect(end.status).to.equal('failure');
    expect(stepsOf(end)).to.deep.equal([
      ['clone', 'success', 0],
      ['install', 'failure', 2],
      ['upgrade', 'skipped', 0],
      ['teardown', 'success', 0],
    ]);
    expect(await inFolder('upgrade')).to.equal(undefined);
    expect(await inFolder('teardown')).to.equal('after install\n');
  });

  it('kills only the shell of a cancelled build, at once, and runs nothing after it', async () => {
    const { number } = await start({ RECIPE: 'x' });
    await begun();
    await call('DELETE', `/builds/${number}`, z.unknown());
    const end = await ended(number);
    expect(end.status).to.equal('killed');
    const child = Number(await inFolder('child'));
    expect(sendSignal(child, 0)).to.equal(true);
    sendSignal(child, 'SIGKILL');
    await until(async () => stepsOf(await get(number)).every(([, status]) => status !== 'running'));
    const after = stepsOf(await get(number)).slice(1);
    expect(after.map(([name, status]) => `${name} ${status}`)).to.deep.equal([
      'install killed',
      'upgrade skipped',
      'teardown skipped',
    ]);
    // Server and runner both write the end: 130 is the server's, 137 the runner's, and either may be first.
    expect(after[0]?.[2]).to.be.oneOf([130, 137]);
    expect(await inFolder('teardown')).to.equal(undefined);
  });

  it('ends a build well that was running while the server was killed', async () => {
    const { number } = await start({ RECIPE: 'x' });
    await begun();
    await servers.drone.kill();
    await servers.drone.start();
    await writeFile(join(folder, 'exit'), '0');
    const end = await ended(number);
    expect(end.status).to.equal('success');
    expect(await inFolder('teardown')).to.equal('after \n');
  });

  it('runs as many builds at once as the runner has room for', async () => {
    const numbers: number[] = [];
    for (let i = 0; i < 3; i++) numbers.push((await start({ RECIPE: 'x' })).number);
    const states = () => Promise.all(numbers.map(async (number) => (await get(number)).status));
    await until(async () => (await states()).filter((state) => state === 'running').length === 2);
    expect(await states()).to.deep.equal(['running', 'running', 'pending']);
    await writeFile(join(folder, 'exit'), '0');
    for (const number of numbers) expect((await ended(number)).status).to.equal('success');
  });

  it('takes no runner with another secret', async () => {
    const refused = await startDroneRunner({ url: servers.drone.url, secret: 'guessed' }).catch(
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(HttpStatusError).with.property('status', 401);
  });
});
