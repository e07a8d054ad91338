import { connectDocker, disconnectDocker, listServices, readRun, runFolder, STAGES } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { type Build, isFinal } from '@cc-ci/engine';
import { callDrone } from '@cc-ci/reconcile/testing';
import { addToTeam, callForge, comment, type Identity, type OpenedPull, openPull } from '@cc-ci/sandbox';
import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { request } from 'undici';
import { z } from 'zod';
import { waitForFinalComment } from '../demo/follow.js';
import { nodeState } from '../testing/node-state.js';
import { findProcesses } from '../testing/processes.js';
import { type RealWorld, startRealWorld } from './real-world.js';

const never = new AbortController().signal;
const comments = z.array(
  z.looseObject({
    id: z.number(),
    body: z.string(),
    user: z.looseObject({ login: z.string() }),
    created_at: z.string(),
    updated_at: z.string(),
  }),
);
const statuses = z.array(z.looseObject({ status: z.string(), context: z.string(), target_url: z.string() }));
const droneBuild = z.looseObject({
  status: z.string(),
  params: z.record(z.string(), z.string()),
  stages: z
    .array(z.looseObject({ steps: z.array(z.looseObject({ name: z.string(), status: z.string() })) }))
    .default([]),
});

/** Every story on the same servers, one after another: a run must leave nothing that the next one meets. */
describe('from a comment in a real Gitea, by a real Drone, to its result', function () {
  this.timeout(900_000);
  let world: RealWorld;
  let nodeBefore: Awaited<ReturnType<typeof nodeState>>;

  before(async () => {
    world = await startRealWorld(['nginx', 'radicale'], ['custom-html', 'radicale']);
  });
  after(() => world?.stop());
  beforeEach(async () => {
    nodeBefore = await nodeState();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      console.log((await world.bridgeLog()).slice(-4_000));
      return;
    }
    expect(await nodeState()).to.deep.equal(nodeBefore);
  });

  const pulls = new Map<string, Promise<OpenedPull>>();
  /** The pull request of a branch, from the member's fork; opened when it is first asked for. */
  const open = (branch: string, recipe = 'custom-html'): Promise<OpenedPull> => {
    const local = world.recipes.get(recipe) ?? expect.fail(`no ${recipe}`);
    const known = pulls.get(`${recipe} ${branch}`);
    const pull = known ?? openPull(world.org, recipe, local.dir, branch, `Try ${branch}`);
    pulls.set(`${recipe} ${branch}`, pull);
    return pull;
  };
  const say = (who: Identity, pull: OpenedPull, text: string) => comment(world.org.url, who, pull, text);
  const ask = async (pull: OpenedPull) => {
    const before = new Set((await world.engine.list()).map(({ id }) => id));
    await say(world.org.member, pull, '!testme');
    const of = ({ id, request: asked }: Build) =>
      !before.has(id) && asked.repo === pull.repo && asked.pr === pull.number;
    return until(async () => (await world.engine.list()).find(of)?.id);
  };
  const get = <S extends z.ZodType>(path: string, schema: S) =>
    callForge(world.org.url, world.org.member, 'GET', path, undefined, schema);
  const botComments = async (pull: OpenedPull) =>
    (await get(`/repos/${pull.repo}/issues/${pull.number}/comments`, comments)).filter(
      ({ user }) => user.login === world.org.bot.login,
    );
  /** The one comment on a run, which must have been edited, and the mention of who asked. */
  const saidOf = async (pull: OpenedPull, run: string) => {
    const mention = await until(async () =>
      (await botComments(pull)).find(({ body }) => body.startsWith('@alice') && body.includes(run)),
    );
    const [shown, ...more] = (await botComments(pull)).filter(({ body }) => body.includes(`run:${run} -->`));
    expect(more).to.deep.equal([]);
    expect(shown?.updated_at).to.not.equal(shown?.created_at);
    expect(mention.id).to.be.above(shown?.id ?? 0);
    return mention.body;
  };
  const statusesOf = (pull: OpenedPull) => get(`/repos/${pull.repo}/statuses/${pull.sha}`, statuses);
  /** Drone's own view of a run's build, of which there must be one. */
  const inDrone = async (run: string) => {
    const { drone, repository } = world.servers;
    const call = <S extends z.ZodType>(path: string, schema: S) =>
      callDrone(drone.url, drone.token, 'GET', `/repos/${repository}${path}`, schema);
    const listed = z.array(
      z.looseObject({ number: z.number(), params: z.record(z.string(), z.string()).nullish() }),
    );
    const own = (await call('/builds?per_page=100', listed)).filter(({ params }) => params?.RUN === run);
    expect(own).to.have.length(1);
    return call(`/builds/${own[0]?.number}`, droneBuild);
  };
  const deploying = async (run: string) => {
    const docker = connectDocker();
    try {
      await until(async () => {
        const app = (await readRun(runFolder(world.stateDir, run)).catch(() => undefined))?.plan.app;
        return app && (await listServices(docker, app.stack)).length > 0;
      });
    } finally {
      await disconnectDocker(docker);
    }
  };
  const recordOf = async (run: string) =>
    (await readRun(runFolder(world.stateDir, run))) ?? expect.fail('no record');
  const logOf = async (run: string) => {
    const lines: string[] = [];
    for await (const { text } of world.engine.logs(run)) lines.push(text);
    return lines.join('\n');
  };

  it('a broken change is red, and a bot that may only read sets no status', async () => {
    const pull = await open('broken-change');
    await say(world.org.stranger, pull, '!testme');
    const run = await ask(pull);
    const body = await waitForFinalComment(world.org, pull, run, never);
    expect(body, await logOf(run))
      .to.include('✗ **red**')
      .and.include('Blame: the recipe.');
    expect(await saidOf(pull, run)).to.include('✗');
    expect(await statusesOf(pull)).to.deep.equal([]);
    expect(await world.engine.list()).to.have.length(1);
    expect(await world.engine.get(run)).to.include({ state: 'failure' });
    const { status, params } = await inDrone(run);
    expect(status).to.equal('failure');
    expect(params).to.include({ RECIPE: 'custom-html', REF: pull.sha, PR: `${pull.number}` });
  });

  it('two pull requests at once, one stateless and one stateful, come out green, with a commit status where the bot may set one', async () => {
    const { org, dashboardUrl } = world;
    await addToTeam(org, 'status-setters', 'write', org.bot.login);
    const both = [await open('good-change'), await open('good-change', 'radicale')] as const;
    const runs: string[] = [];
    for (const pull of both) runs.push(await ask(pull));
    await until(async () => {
      const found = (await world.engine.list()).filter(({ id }) => runs.includes(id));
      expect(found.filter(({ state }) => isFinal(state))).to.deep.equal([]);
      return found.filter(({ state }) => state === 'running').length === 2;
    });
    for (const [at, pull] of both.entries()) {
      const run = runs[at] ?? '';
      const body = await waitForFinalComment(org, pull, run, never);
      expect(body, await logOf(run)).to.include('✓ **green**');
      expect(await saidOf(pull, run)).to.include('✓');
      const { stages, summary } = await recordOf(run);
      expect(summary?.outcome.verdict).to.equal('green');
      const passed = stages.filter(({ state }) => state === 'passed').map(({ stage }) => stage);
      expect(passed).to.include.members(['prepare', 'install', 'upgrade', 'backup', 'teardown']);
      const build = await inDrone(run);
      expect(build.stages.flatMap(({ steps }) => steps).map((it) => [it.name, it.status])).to.deep.equal(
        ['clone', ...STAGES].map((name) => [name, 'success']),
      );
      const page = await until(async () => {
        const text = await (await request(`${dashboardUrl}/runs/${run}/`)).body.text();
        return text.includes('green') && text;
      });
      expect(page).to.include(pull.sha.slice(0, 8));
    }
    const [refused, allowed] = both;
    const status = await until(async () =>
      (await statusesOf(allowed)).find(({ status }) => status === 'success'),
    );
    expect(status).to.include({ context: 'cc-ci/testme', target_url: `${dashboardUrl}/runs/${runs[1]}/` });
    // Where it has been refused, the forge is not asked again for an hour.
    expect(await statusesOf(refused)).to.deep.equal([]);
  });

  it('!testme stop ends a running build, and what it had deployed is removed', async () => {
    const pull = await open('good-change');
    const run = await ask(pull);
    await deploying(run);
    await say(world.org.member, pull, '!testme stop');
    const body = await waitForFinalComment(world.org, pull, run, never);
    expect(body).to.include('**cancelled**').and.include('alice');
    expect(await world.engine.get(run)).to.include({ state: 'cancelled' });
    expect((await inDrone(run)).status).to.equal('killed');
    const summary = await until(async () => (await recordOf(run)).summary);
    expect(summary.outcome).to.include({ verdict: 'cancelled', blame: 'cancelled' });
    expect((await recordOf(run)).stages.find(({ stage }) => stage === 'teardown')?.state).to.equal('passed');
    // Runner and watchdog end a moment after the record is complete.
    await until(async () => (await findProcesses(run)).length === 0);
  });

  it('a build goes on while Drone is killed and restarted, and its result is said once', async () => {
    const { drone } = world.servers;
    const pull = await open('good-change');
    const run = await ask(pull);
    await deploying(run);
    await drone.kill();
    // Everybody has noticed.
    await until(async () => (await world.bridgeLog()).includes('Drone does not answer'));
    await drone.start();
    const body = await waitForFinalComment(world.org, pull, run, never);
    expect(body, await logOf(run)).to.include('✓ **green**');
    expect(await saidOf(pull, run)).to.include('✓');
    expect((await inDrone(run)).status).to.equal('success');
  });
});
