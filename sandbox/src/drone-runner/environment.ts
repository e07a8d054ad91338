import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Details, Stage, Step } from './protocol.js';

/** The folders of one build. */
export interface Workspace {
  root: string;
  home: string;
  source: string;
  /** The scripts of the steps. */
  scripts: string;
}

type Environment = Record<string, string>;

/** The host's variables that a step sees; no others do. */
const HOST_VARIABLES = ['PATH', 'USER'];

/** Where a runner takes its steps' environment from. */
export interface RunnerEnvironment {
  /** Its own. Default: this process's. */
  host?: NodeJS.ProcessEnv | undefined;
  /** What it adds to every step's (DRONE_RUNNER_ENVIRON). */
  environ?: Readonly<Environment> | undefined;
}

/** The folders of a build under `root`, made. */
export async function makeWorkspace(root: string): Promise<Workspace> {
  const workspace = {
    root,
    home: join(root, 'home', 'drone'),
    source: join(root, 'drone', 'src'),
    scripts: join(root, 'opt'),
  };
  for (const folder of [workspace.home, workspace.source, workspace.scripts])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  return workspace;
}

/**
 * What every step of a build sees, in the order of the real runner (drone-runner-exec, engine/compiler/compiler.go): the
 * host's, what the runner adds, parameters, Drone's own. So parameters can replace PATH and settings, but neither HOME
 * nor a variable of Drone's.
 */
export function buildEnvironment(
  about: Details,
  workspace: Workspace,
  { host = process.env, environ = {} }: RunnerEnvironment = {},
): Environment {
  const fromHost = HOST_VARIABLES.flatMap((name) => (host[name] ? [[name, host[name]] as const] : []));
  const { build, system, repository } = about;
  return {
    ...Object.fromEntries(fromHost),
    ...environ,
    ...build.params,
    CI: 'true',
    DRONE: 'true',
    DRONE_SYSTEM_PROTO: system.proto,
    DRONE_SYSTEM_HOST: system.host,
    DRONE_SYSTEM_HOSTNAME: system.host,
    DRONE_SYSTEM_VERSION: system.version,
    DRONE_REPO: repository.slug,
    DRONE_REPO_OWNER: repository.namespace,
    DRONE_REPO_NAMESPACE: repository.namespace,
    DRONE_REPO_NAME: repository.name,
    DRONE_REPO_LINK: repository.link,
    DRONE_REPO_BRANCH: repository.default_branch,
    DRONE_REPO_VISIBILITY: repository.visibility,
    DRONE_REMOTE_URL: repository.git_http_url,
    DRONE_GIT_HTTP_URL: repository.git_http_url,
    DRONE_BRANCH: build.target,
    DRONE_SOURCE_BRANCH: build.source,
    DRONE_TARGET_BRANCH: build.target,
    DRONE_COMMIT: build.after,
    DRONE_COMMIT_SHA: build.after,
    DRONE_COMMIT_BEFORE: build.before,
    DRONE_COMMIT_AFTER: build.after,
    DRONE_COMMIT_REF: build.ref,
    DRONE_COMMIT_BRANCH: build.target,
    DRONE_COMMIT_LINK: build.link,
    DRONE_COMMIT_MESSAGE: build.message,
    DRONE_COMMIT_AUTHOR: build.author_login,
    DRONE_COMMIT_AUTHOR_NAME: build.author_name,
    DRONE_COMMIT_AUTHOR_EMAIL: build.author_email,
    DRONE_BUILD_NUMBER: `${build.number}`,
    DRONE_BUILD_EVENT: build.event,
    DRONE_BUILD_ACTION: build.action,
    DRONE_BUILD_CREATED: `${build.created}`,
    DRONE_BUILD_STARTED: `${build.started}`,
    DRONE_BUILD_LINK: `${system.proto}://${system.host}/${repository.slug}/${build.number}`,
    GIT_AUTHOR_NAME: build.author_name || 'drone',
    GIT_AUTHOR_EMAIL: build.author_email || 'noreply@drone',
    GIT_COMMITTER_NAME: build.author_name || 'drone',
    GIT_COMMITTER_EMAIL: build.author_email || 'noreply@drone',
    GIT_TERMINAL_PROMPT: '0',
    HOME: workspace.home,
    DRONE_HOME: workspace.source,
    DRONE_WORKSPACE: workspace.source,
  };
}

/** What a step sees besides, of how things stand when it begins. */
export function stepEnvironment(stage: Stage, step: Step): Environment {
  const failed = (stage.steps ?? []).filter(
    ({ status, errignore }) => ['failure', 'error', 'killed'].includes(status) && !errignore,
  );
  return {
    DRONE_STAGE_KIND: stage.kind,
    DRONE_STAGE_TYPE: stage.type,
    DRONE_STAGE_NAME: stage.name,
    DRONE_STAGE_NUMBER: `${stage.number}`,
    DRONE_STAGE_MACHINE: stage.machine ?? '',
    DRONE_STAGE_OS: stage.os,
    DRONE_STAGE_ARCH: stage.arch,
    DRONE_STAGE_STARTED: `${stage.started ?? 0}`,
    DRONE_STAGE_STATUS: failed.length > 0 ? 'failure' : 'success',
    DRONE_BUILD_STATUS: failed.length > 0 ? 'failure' : 'success',
    ...(failed.length > 0 ? { DRONE_FAILED_STEPS: failed.map(({ name }) => name).join(',') } : {}),
    DRONE_STEP_NAME: step.name,
    DRONE_STEP_NUMBER: `${step.number}`,
  };
}
