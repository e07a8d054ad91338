import { runFolder } from '@cc-ci/core';
import type { Build } from '@cc-ci/engine';
import { writeManyRuns } from '../bench/many-runs.js';
import { someBuild, someRequest, someTest, writeRun } from './fixtures.js';

/** A state folder with everything a page can show, for looking at it and for browsers to go through. */
export interface SampleState {
  builds: Build[];
  running: string;
  failed: string;
  green: string;
  queued: string;
  /** Folder of the run that is running. */
  runningDir: string;
}

/** @param picture a PNG that stands for what a browser saw */
export async function writeSampleState(stateDir: string, picture: Uint8Array): Promise<SampleState> {
  writeManyRuns({ stateDir, recipes: 12, runs: 300 });
  const log = (stage: string, lines: number) =>
    Array.from(
      { length: lines },
      (_, n) =>
        `2026-11-21T08:${String(10 + Math.floor(n / 60)).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}.120Z ${lineOf(stage, n)}\n`,
    ).join('');
  const phases = (ms: number[]) => {
    let at = Date.parse('2026-11-21T08:00:00.000Z');
    return (['pull', 'deploy', 'converge', 'tests'] as const).map((name, index) => {
      const startedAt = new Date(at).toISOString();
      at += ms[index] ?? 1_000;
      return { name, ours: name === 'converge', startedAt, finishedAt: new Date(at).toISOString() };
    });
  };
  const planOf = (recipe: string) => ({
    plan: {
      base: { version: '3.1.0+1.27.2', commit: 'c'.repeat(40) },
      app: { label: recipe, domain: `${recipe}-k3f9x2ab.ci.example.org`, stack: recipe },
      overlays: [
        { file: 'compose.cc-ci.yml', why: 'this host has no IPVS: services find each other by task' },
      ],
      tools: { abra: '0.11.0-beta', docker: '28.2.2', chromium: '156.0', playwright: '1.58' },
    },
  });
  const shots = ['before', 'after'].map((title) => ({
    kind: 'screenshot' as const,
    path: `screenshots/${title}.png`,
    title: `front page, ${title} the upgrade`,
  }));
  const files = {
    'screenshots/before.png': picture,
    'screenshots/after.png': picture,
    'traces/login.zip': 'PK',
    'console/login.txt': 'console: 1 warning\n',
  };
  const tests = [
    someTest({ title: 'answers over HTTPS with a certificate of its own' }),
    someTest({ title: 'has no mixed content', durationMs: 812 }),
    someTest({
      source: 'cc-ci',
      suite: 'login',
      title: 'a note that was written is there after signing in again',
      durationMs: 4_320,
    }),
  ];
  const { run: green } = await writeRun(stateDir, {
    ...planOf('hedgedoc'),
    request: {
      recipe: 'hedgedoc',
      repo: 'coop-cloud/hedgedoc',
      src: 'https://git.coopcloud.tech/alice/hedgedoc.git',
      origin: 'https://git.coopcloud.tech/coop-cloud/hedgedoc.git',
      pr: 41,
    },
    createdAt: '2026-11-21T07:40:00.000Z',
    finishedAt: '2026-11-21T07:45:12.000Z',
    stages: {
      install: { tests, phases: phases([9_000, 4_000, 21_000, 7_000]), artifacts: shots },
      upgrade: { tests },
      backup: { state: 'structural-skip', reason: 'no backup labels' },
    },
    logs: { prepare: log('prepare', 20), install: log('install', 140), upgrade: log('upgrade', 60) },
    files,
  });
  const { run: failed } = await writeRun(stateDir, {
    ...planOf('keycloak'),
    request: {
      recipe: 'keycloak',
      repo: 'coop-cloud/keycloak',
      src: 'https://git.coopcloud.tech/bob/keycloak.git',
      origin: 'https://git.coopcloud.tech/coop-cloud/keycloak.git',
      pr: 17,
      requestedBy: 'bob',
    },
    createdAt: '2026-11-21T07:52:00.000Z',
    finishedAt: '2026-11-21T07:58:31.000Z',
    stages: {
      prepare: {
        findings: [
          {
            rule: 'image-latest',
            severity: 'warning',
            message: 'db is not pinned to a version',
            where: 'compose.yml:31',
          },
        ],
      },
      install: {
        state: 'failed',
        phases: phases([12_000, 3_000, 95_000, 2_000]),
        tests: [
          ...tests.slice(0, 1),
          someTest({
            title: 'the front page is not an error',
            state: 'failed',
            message: 'expected 502 to be below 500\n  at GET https://keycloak-k3f9x2ab.ci.example.org/',
          }),
        ],
        failure: {
          blame: 'recipe',
          message: 'app does not stay up: it ended with exit code 1 two times',
          evidence: [
            'app.1  ERROR: Failed to obtain JDBC connection',
            'app.1  FATAL: password authentication failed for user "keycloak"',
            'app.1  exited with code 1',
          ],
        },
        artifacts: [
          { kind: 'screenshot', path: 'screenshots/after.png', title: 'when it failed' },
          { kind: 'trace', path: 'traces/login.zip', title: 'login' },
          { kind: 'log', path: 'console/login.txt', title: 'what the browser said during login' },
        ],
      },
      upgrade: { state: 'not-run', reason: 'install did not pass', tests: [] },
      backup: { state: 'not-run', reason: 'install did not pass', tests: [] },
      'recipe-tests': { state: 'not-run', reason: 'install did not pass', tests: [] },
    },
    logs: { prepare: log('prepare', 24), install: log('install', 2_600), teardown: log('teardown', 12) },
    files,
  });
  const request = someRequest({
    recipe: 'gitea',
    repo: 'coop-cloud/gitea',
    src: 'https://git.coopcloud.tech/carol/gitea.git',
    origin: 'https://git.coopcloud.tech/coop-cloud/gitea.git',
    pr: 88,
    requestedBy: 'carol',
  });
  await writeRun(stateDir, {
    ...planOf('gitea'),
    request,
    createdAt: '2026-11-21T08:00:00.000Z',
    finishedAt: undefined,
    stages: {
      install: {
        state: 'running',
        finishedAt: undefined,
        tests: tests.slice(0, 1),
        phases: [
          ...phases([8_000, 4_000, 14_000]).slice(0, 3),
          { name: 'tests', ours: false, startedAt: '2026-11-21T08:00:40.000Z' },
        ],
      },
      upgrade: undefined,
      backup: undefined,
      'recipe-tests': undefined,
      teardown: undefined,
    },
    logs: { prepare: log('prepare', 18), install: log('install', 46) },
  });
  const waiting = someBuild('queued', {
    request: someRequest({
      recipe: 'mediawiki',
      repo: 'coop-cloud/mediawiki',
      src: 'https://git.coopcloud.tech/dan/mediawiki.git',
      origin: undefined,
      pr: 5,
      requestedBy: 'dan',
    }),
    position: 1,
    createdAt: '2026-11-21T08:05:00.000Z',
  });
  const builds = [waiting, someBuild('running', { request })];
  return {
    builds,
    running: request.run,
    failed,
    green,
    queued: waiting.id,
    runningDir: runFolder(stateDir, request.run),
  };
}

const LINES = [
  '$ abra app deploy -C -o -c hedgedoc-k3f9x2ab.ci.example.org',
  '\u001b[32mdeploying\u001b[0m app_app: image hedgedoc:1.9.9',
  'waiting: app 0/1, db 1/1',
  '\u001b[33mWARN\u001b[0m db: no health check, waiting for its port instead',
  'pass  health › answers over HTTPS (120 ms)',
];

function lineOf(stage: string, n: number): string {
  return n === 0 ? `-- ${stage}` : `${LINES[n % LINES.length]}`;
}
