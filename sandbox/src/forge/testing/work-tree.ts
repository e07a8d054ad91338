import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { gitEnvironment } from '../git/commands.js';
import { type Answer, at, authorization, type Identity, numberAt, type Scene, textAt } from './scene.js';

/** A git repository to push from, with real git. */
export interface WorkTree {
  folder: string;
  /** Commits a change on a branch, made where it is missing; answers with the commit's id. */
  commit(branch: string, content?: string | Uint8Array): Promise<string>;
  /** Any git command here, signed in to the forge as somebody; answers with what it printed. */
  git(as: Identity, ...args: string[]): Promise<string>;
  /** Pushes a branch or refspec to `owner/name`. */
  push(as: Identity, repository: string, refspec: string): Promise<void>;
  /** The refs of `owner/name` and what they point at. */
  remoteRefs(as: Identity, repository: string): Promise<Record<string, string>>;
  dispose(): Promise<void>;
}

/** Makes an empty work tree for a forge. */
export async function createWorkTree(url: string): Promise<WorkTree> {
  const folder = await mkdtemp(join(tmpdir(), 'cc-ci-forge-work-'));
  const git: WorkTree['git'] = async (as, ...args) => {
    const { stdout } = await run('git', args, { cwd: folder, env: environment(as), timeoutMs: 60_000 });
    return stdout.trim();
  };
  await git(undefined, 'init', '--quiet', '--initial-branch=main');
  return {
    folder,
    git,
    async commit(branch, content = randomBytes(8).toString('hex')) {
      const known = await git(undefined, 'branch', '--list', branch);
      if (!known) await git(undefined, 'checkout', '--quiet', '-B', branch);
      else await git(undefined, 'checkout', '--quiet', branch);
      await writeFile(join(folder, 'file'), content);
      await git(undefined, 'add', '.');
      await git(undefined, 'commit', '--quiet', '-m', `change on ${branch}`);
      return git(undefined, 'rev-parse', 'HEAD');
    },
    async push(as, repository, refspec) {
      await git(as, 'push', '--quiet', `${url}/${repository}.git`, refspec);
    },
    async remoteRefs(as, repository) {
      const lines = (await git(as, 'ls-remote', `${url}/${repository}.git`)).split('\n').filter(Boolean);
      return Object.fromEntries(lines.map((line) => line.split('\t').reverse()));
    },
    dispose: () => rm(folder, { recursive: true }),
  };
}

// Credentials travel by environment: arguments are for everybody to read.
function environment(as: Identity): NodeJS.ProcessEnv {
  const login = as && 'token' in as ? { login: 'token', password: as.token } : as;
  const header = login ? `Authorization: ${authorization(login)}` : '';
  return {
    ...gitEnvironment(),
    GIT_AUTHOR_NAME: 'Alice',
    GIT_AUTHOR_EMAIL: 'alice@example.org',
    GIT_COMMITTER_NAME: 'Alice',
    GIT_COMMITTER_EMAIL: 'alice@example.org',
    ...(header
      ? { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'http.extraHeader', GIT_CONFIG_VALUE_0: header }
      : {}),
  };
}

/** A repository in the scene with one commit on `main`; answers with its full name and that commit. */
export async function publish(
  scene: Scene,
  work: WorkTree,
  options?: { private?: boolean },
): Promise<{ repository: string; main: string }> {
  const repository = await scene.repository(options);
  const main = await work.commit('main');
  await work.push(scene.owner, repository, 'main');
  await takenIn(scene, repository);
  return { repository, main };
}

// Gitea takes pushes in behind its answer: until then a repository counts as empty, and branches are unknown.
async function takenIn({ ask, owner }: Scene, repository: string): Promise<void> {
  await until(async () => at((await ask(owner, 'GET', `/repos/${repository}`)).body, 'empty') === false);
}

/** Opens a pull request as soon as the forge knows its branches. */
export async function openPull(
  scene: Scene,
  as: Identity,
  repository: string,
  wanted: { head: string; base?: string; title: string; body?: string },
): Promise<Answer> {
  const about = { base: 'main', ...wanted };
  let answer: Answer | undefined;
  await until(async () => {
    answer = await scene.ask(as, 'POST', `/repos/${repository}/pulls`, about);
    return answer.status !== 404;
  });
  return answer ?? expect.fail('no answer');
}

/** A pull request as a test needs it. */
export interface OpenedPull {
  repository: string;
  number: number;
  /** The fork it came from, as `owner/name`. */
  fork: string;
  branch: string;
  sha: string;
}

/** The outsider forks a repository, pushes a branch there and asks for it to be merged. */
export async function openPullFromFork(
  scene: Scene,
  work: WorkTree,
  repository: string,
): Promise<OpenedPull> {
  const { outsider } = scene;
  const branch = 'change';
  const forked = await scene.ask(outsider, 'POST', `/repos/${repository}/forks`, {});
  const fork = textAt(forked.body, 'full_name');
  const sha = await work.commit(branch);
  await work.push(outsider, fork, branch);
  const wanted = { head: `${outsider.login}:${branch}`, title: 'A change', body: 'Please.' };
  const opened = await openPull(scene, outsider, repository, wanted);
  expect(opened.status).to.equal(201);
  return { repository, number: numberAt(opened.body, 'number'), fork, branch, sha };
}
