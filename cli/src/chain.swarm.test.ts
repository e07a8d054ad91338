import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectDocker, disconnectDocker, listServices, readRun, runFolder } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import {
  addToTeam,
  callForge,
  comment,
  commentsOn,
  ensureImages,
  type Identity,
  type OpenedPull,
  openPull,
} from '@cc-ci/sandbox';
import { expect } from 'chai';
import { afterEach, before, beforeEach, describe, it } from 'mocha';
import { request } from 'undici';
import { waitForBuild, waitForFinalComment } from './demo/follow.js';
import { startWorld, type World } from './demo/world.js';
import { nodeState } from './testing/node-state.js';
import { findProcesses } from './testing/processes.js';

const TESTS = fileURLToPath(new URL('../../tests/', import.meta.url));
/** What these stories are about does not depend on what a run does after its first deployment. */
const INSTALL_ONLY = `import { defineRecipe } from '@cc-ci/runner/harness';
export default defineRecipe({ skip: { upgrade: 'not asked here', backup: 'not asked here' } });
`;
const never = new AbortController().signal;

/** Every part in a process of its own, the forge spoken to as people and services speak to it. */
describe('from a comment to its result', function () {
  this.timeout(400_000);
  let dir: string;
  let world: World;
  let nodeBefore: Awaited<ReturnType<typeof nodeState>>;

  before(async () => {
    await ensureImages(['nginx', 'radicale']);
  });
  beforeEach(async () => {
    nodeBefore = await nodeState();
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-chain-'));
    const testsDir = join(dir, 'tests');
    await cp(join(TESTS, 'radicale'), join(testsDir, 'radicale'), { recursive: true });
    await mkdir(join(testsDir, 'custom-html'));
    await writeFile(join(testsDir, 'custom-html/recipe.ts'), INSTALL_ONLY);
    world = await startWorld({
      dir: join(dir, 'world'),
      testsDir,
      recipes: ['custom-html', 'radicale'],
      maxTests: 2,
      signal: never,
      step: () => undefined,
    });
  });
  afterEach(async () => {
    await world.stop();
    await rm(dir, { recursive: true });
    expect(await nodeState()).to.deep.equal(nodeBefore);
  });

  const open = (branch: string, recipe = 'custom-html'): Promise<OpenedPull> => {
    const local = world.recipes.get(recipe) ?? expect.fail(`no ${recipe}`);
    return openPull(world.org, recipe, local.dir, branch, `Try ${branch}`);
  };
  const say = (who: Identity, pull: OpenedPull, text: string) => comment(world.org.url, who, pull, text);
  /** The bot's comments on runs, without its answers and mentions. */
  const botComments = async (pull: OpenedPull) =>
    (await commentsOn(world.org.url, world.org.member, pull)).filter(
      ({ user, body }) => user.login === world.org.bot.login && /run:[a-z0-9]+ -->$/.test(body),
    );
  /** Waits until a run has something deployed. */
  const deploying = async (run: string) => {
    const docker = connectDocker();
    await until(async () => {
      const app = (await readRun(runFolder(world.stateDir, run)).catch(() => undefined))?.plan.app;
      return app && (await listServices(docker, app.stack)).length > 0;
    });
    await disconnectDocker(docker);
  };
  /** Kills this world's bridge; there may be others on this machine. */
  const killBridge = async () => {
    for (const pid of await findProcesses('bridge')) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
      if (environment.split('\0').includes(`CC_CI_STATE_DIR=${world.stateDir}`)) process.kill(pid, 'SIGKILL');
    }
  };

  it('tests for members only, and only what is exactly !testme', async () => {
    const { member, stranger } = world.org;
    const pull = await open('unparsable');
    for (const text of [
      '!testmexyz',
      '!TESTME',
      '! testme',
      'please !testme',
      '`!testme`',
      '> !testme',
      '!testme now',
    ]) {
      await say(member, pull, text);
    }
    await say(stranger, pull, '!testme');
    // Comments are taken in their order: when this one has been, so have all before it.
    await say(member, pull, ' \n\t!testme \r\n\n');
    const run = await waitForBuild(world.engine, pull, never);
    const body = await waitForFinalComment(world.org, pull, run, never);
    expect(body).to.include('✗ **red**').and.include('compose.yml: ').and.include('Blame: the recipe.');
    expect(await world.engine.list()).to.have.length(1);
    expect(await botComments(pull)).to.have.length(1);
  });

  it('runs a stateful recipe to green, shows it on the dashboard, and lives without the right to set a status', async () => {
    const pull = await open('good-change', 'radicale');
    await say(world.org.member, pull, '!testme');
    const run = await waitForBuild(world.engine, pull, never);
    expect(await waitForFinalComment(world.org, pull, run, never)).to.include('✓ **green**');
    const page = await until(async () => {
      const response = await request(`${world.dashboardUrl}/runs/${run}/`);
      const text = await response.body.text();
      return text.includes('green') && text;
    });
    expect(page).to.include(pull.sha.slice(0, 8));
    const overview = await (await request(`${world.dashboardUrl}/`)).body.text();
    expect(overview).to.include('radicale');
    const statuses = await callForge(
      world.org.url,
      world.org.member,
      'GET',
      `/repos/${pull.repo}/statuses/${pull.sha}`,
    );
    expect(statuses).to.deep.equal([]);
  });

  it('sets the commit status where the bot may', async () => {
    const { org } = world;
    const pull = await open('unparsable');
    await addToTeam(org, 'status-setters', 'write', org.bot.login);
    await say(org.member, pull, '!testme');
    const run = await waitForBuild(world.engine, pull, never);
    await waitForFinalComment(org, pull, run, never);
    const status = await until(async () => {
      const found = (await callForge(
        org.url,
        org.member,
        'GET',
        `/repos/${pull.repo}/statuses/${pull.sha}`,
      )) as {
        status: string;
        context: string;
        target_url: string;
      }[];
      return found.find((it) => it.status === 'failure');
    });
    expect(status).to.include({ context: 'cc-ci/testme', target_url: `${world.dashboardUrl}/runs/${run}/` });
  });

  it('a runner killed in the middle of a deployment is reported, cleaned up after, and the next run is good', async () => {
    const pull = await open('good-change');
    await say(world.org.member, pull, '!testme');
    const run = await waitForBuild(world.engine, pull, never);
    await deploying(run);
    const [runner = 0] = await findProcesses('run', `--run=${run}`);
    process.kill(runner, 'SIGKILL');
    expect(await waitForFinalComment(world.org, pull, run, never)).to.include('! **error**');
    await say(world.org.member, pull, '!testme');
    const next = await until(async () => (await world.engine.list()).find(({ id }) => id !== run)?.id);
    expect(await waitForFinalComment(world.org, pull, next, never)).to.include('✓ **green**');
    expect(await botComments(pull)).to.have.length(2);
  });

  it('says what came of a build that ran when the bridge was stopped, and takes what was said meanwhile', async () => {
    const first = await open('good-change');
    await say(world.org.member, first, '!testme');
    const run = await waitForBuild(world.engine, first, never);
    await world.bridge.stop();
    expect((await world.engine.get(run))?.state).to.equal('cancelled');
    const second = await open('unparsable');
    await say(world.org.member, second, '!testme');
    await world.startBridge();
    expect(await waitForFinalComment(world.org, first, run, never)).to.include('cancelled');
    const later = await waitForBuild(world.engine, second, never);
    expect(await waitForFinalComment(world.org, second, later, never)).to.include('✗ **red**');
    expect(await world.engine.list()).to.have.length(2);
  });

  it('a build goes on while the bridge is killed and restarted, and its result is said once', async () => {
    await world.bridge.stop();
    await world.startBridge({ withParent: false });
    const pull = await open('good-change');
    await say(world.org.member, pull, '!testme');
    const run = await waitForBuild(world.engine, pull, never);
    await deploying(run);
    await killBridge();
    const restarted = await world.startBridge({ withParent: false });
    await restarted.stop();
    expect((await world.engine.get(run))?.state).to.equal('running');
    await world.startBridge();
    expect(await waitForFinalComment(world.org, pull, run, never)).to.include('✓ **green**');
    expect((await world.engine.list()).map(({ state }) => state)).to.deep.equal(['success']);
    expect(await botComments(pull)).to.have.length(1);
  });

  it('a bridge that is not to be outlived takes its builds with it when it is killed', async () => {
    const pull = await open('good-change');
    await say(world.org.member, pull, '!testme');
    const run = await waitForBuild(world.engine, pull, never);
    await deploying(run);
    await killBridge();
    await until(async () => (await findProcesses('run', `--run=${run}`)).length === 0);
    expect(await nodeState()).to.deep.equal(nodeBefore);
    await world.startBridge();
    expect(await waitForFinalComment(world.org, pull, run, never)).to.include('**cancelled**');
    expect((await world.engine.get(run))?.state).to.equal('lost');
  });
});
