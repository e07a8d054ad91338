import { createServer, type Server } from 'node:http';
import type { RunRecord, StageName, Verdict } from '@cc-ci/core';
import { ABRA_EXECUTABLE } from '@cc-ci/sandbox';
import { expect } from 'chai';
import { type Defect, type ProbeService, type ProbeVersion, pageOf } from './probe-recipe.js';

/** A defect, what it must come to, and the stages that are run for it. */
export interface Story {
  what: string;
  defect: Defect;
  stages: StageName[];
  verdict: Verdict;
  blame?: string;
  /** The stage that must have failed. */
  stage?: StageName;
  /** What the outcome's sentence must say. */
  says?: RegExp;
  check?: (record: RunRecord) => void;
  /** Changed in the runner's environment. */
  env?: NodeJS.ProcessEnv;
  /** A script that stands before abra; it ends with `exec "$ABRA" "$@"`. */
  abra?: string;
}

/** What stories need of the machine they are played on. */
export interface Stage {
  /** host:port of a registry that refuses everything by rate limit, and of one that has nothing. */
  rateLimited: string;
  empty: string;
  /** Certificate authority that signed nothing here. */
  otherCaFile: string;
}

const app = ({ compose }: ProbeVersion): ProbeService => compose.services.app ?? expect.fail('no app');
const label = (version: ProbeVersion, ...labels: string[]) => void app(version).deploy.labels.push(...labels);
const withoutLabels = (version: ProbeVersion, start: string) => {
  const { deploy } = app(version);
  deploy.labels = deploy.labels.filter((it) => !it.startsWith(start));
};
const stageOf = (record: RunRecord, name: StageName) =>
  record.stages.find(({ stage }) => stage === name) ?? expect.fail(`no ${name}`);
const script = (version: ProbeVersion, change: (text: string) => string) => {
  version.script = change(version.script);
};
const image = (version: ProbeVersion, name: string) => {
  app(version).image = name;
};
const unhealthy = (version: ProbeVersion) => {
  version.script = `${pageOf('head')}; rm /www/health; exec httpd -f -p 80 -h /www`;
};

/** recipe.ts whose data are one file in the container. */
const fileHooks = (file: string, change: { verify?: string } = {}) => `
import { app, defineRecipe } from '@cc-ci/runner/harness';
import { expect } from 'chai';
const write = (text: string) => app.exec('app', ['sh', '-c', 'echo "$1" > "$2"', 'sh', text, '${file}']);
export default defineRecipe({
  seed: async () => void (await write('seeded')),
  verify: async () => {
    ${change.verify ?? `expect((await app.exec('app', ['cat', '${file}'])).stdout).to.equal('seeded\\n');`}
  },
  mutate: async () => void (await write('changed')),
});
`;

/** One story for each row of what broke in systems like this one, planted in a recipe that is otherwise sound. */
export function stories({ rateLimited, empty, otherCaFile }: Stage): Story[] {
  return [...falseGreens(otherCaFile), ...convergence(rateLimited, empty), ...backups()];
}

function falseGreens(otherCaFile: string): Story[] {
  return [
    {
      what: 'the upgrade deploys the old checkout again',
      defect: {},
      abra: 'case "$*" in "app deploy"*) git -C "$ABRA_DIR/recipes/probe" checkout --quiet --force 1.0.0+1.0;; esac',
      stages: ['upgrade'],
      verdict: 'error',
      blame: 'ci',
      stage: 'upgrade',
      says: /the deployment says commit/,
    },
    {
      what: 'nothing was published, so there is no upgrade to test',
      defect: { published: false },
      stages: ['install', 'upgrade'],
      verdict: 'green',
      check: (record) => expect(stageOf(record, 'upgrade').state).to.equal('structural-skip'),
    },
    {
      what: 'an overlay pins the image of the published version',
      defect: {},
      abra: `case "$*" in "app deploy"*) sed -i 's#^  app:$#  app:\\n    image: cc-ci/tiny:other#' "$ABRA_DIR/recipes/probe/compose.cc-ci.yml";; esac`,
      stages: ['install'],
      verdict: 'error',
      blame: 'ci',
      stage: 'install',
      says: /app has the image cc-ci\/tiny:other/,
    },
    {
      what: 'the new version drops a service, which Swarm leaves running',
      defect: {
        base: (version) => {
          const { healthcheck: _, volumes: __, ...rest } = app(version);
          version.compose.services.worker = {
            ...rest,
            command: ['sleep', 'infinity'],
            deploy: { labels: [] },
          };
        },
      },
      stages: ['upgrade'],
      verdict: 'green',
      check: (record) =>
        expect(stageOf(record, 'upgrade').notes.join()).to.include('service worker is no longer'),
    },
    {
      what: 'the new task fails, Swarm rolls back, the old one goes on answering',
      defect: { head: unhealthy },
      stages: ['upgrade'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'upgrade',
      says: /Swarm rolled app back/,
    },
    {
      what: 'the published version does not come up by itself',
      defect: { base: (version) => script(version, () => 'exit 1') },
      stages: ['install', 'upgrade'],
      verdict: 'green',
      says: /not tested: .*upgrade/,
      check: (record) => expect(stageOf(record, 'upgrade').state).to.equal('base-broken'),
    },
    {
      what: 'the test file has no test',
      defect: {
        tests: { 'install.test.ts': "import { describe } from 'mocha';\ndescribe('probe', () => {});\n" },
      },
      stages: ['install'],
      verdict: 'red',
      blame: 'tests',
      stage: 'install',
      says: /no test was found/,
    },
    {
      what: 'the health route is fine and the landing page answers 500',
      defect: {
        head: (version) => {
          version.script = `${pageOf('x')}; printf '#!/bin/sh\\nprintf "HTTP/1.1 500 Oops\\\\r\\\\nContent-Length: 4\\\\r\\\\nConnection: close\\\\r\\\\n\\\\r\\\\noops"\\n' > /tmp/answer; chmod +x /tmp/answer; httpd -p 81 -h /www; exec nc -ll -p 80 -e /tmp/answer`;
          app(version).healthcheck = {
            ...(app(version).healthcheck ?? expect.fail('no health check')),
            test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:81/health'],
          };
        },
      },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /the landing page answers HTTP 500/,
    },
    {
      what: "the proxy's own 404 is not the app",
      defect: { head: (version) => withoutLabels(version, 'traefik.') },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /has no route/,
    },
    {
      what: 'the edge shows a certificate that is not ours',
      defect: {},
      env: { CC_CI_EDGE_CA_FILE: otherCaFile },
      stages: ['install'],
      verdict: 'error',
      blame: 'ci',
      stage: 'install',
      says: /another certificate/,
    },
    {
      what: 'the landing page asks for a stylesheet that is not there',
      defect: {
        head: (version) => {
          version.script = version.script.replace('<h1>', '<link rel=stylesheet href=/gone.css><h1>');
        },
      },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /stylesheets and scripts/,
    },
    {
      what: 'every test is skipped',
      defect: {
        tests: { 'install.test.ts': "import { it } from 'mocha';\nit.skip('would test', () => {});\n" },
      },
      stages: ['install'],
      verdict: 'red',
      blame: 'tests',
      stage: 'install',
      says: /every test was skipped/,
    },
    {
      what: 'data lie outside the volumes and are gone after a restart',
      defect: { tests: { 'recipe.ts': fileHooks('/tmp/data') } },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /verify/,
    },
    {
      what: 'the new version clears the volume',
      defect: { head: (version) => script(version, (text) => `rm -f /data/.cc-ci-marker; ${text}`) },
      stages: ['upgrade'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'upgrade',
      says: /data were lost/,
    },
    {
      what: 'a secret is written to the log',
      defect: {
        head: (version) => {
          version.script = `cat /run/secrets/token; echo; ${version.script}`;
          version.sample += 'SECRET_TOKEN_VERSION=v1 # length=32\n';
          version.compose.secrets = {
            token: { external: true, name: '${STACK_NAME}_token_${SECRET_TOKEN_VERSION}' },
          };
          app(version).secrets = ['token'];
        },
      },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /token in the log of service app/,
    },
  ];
}

function convergence(rateLimited: string, empty: string): Story[] {
  return [
    {
      what: 'the process dies some seconds after it counted as running',
      defect: {
        head: (version) => {
          delete app(version).healthcheck;
          version.script = 'sleep 2; exit 1';
        },
      },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /app keeps ending/,
    },
    {
      what: 'a healthy service ends while it is tested, and Swarm starts another before any test sees it',
      defect: {
        head: (version) => {
          version.script = version.script
            .replace('exec httpd -f', 'httpd')
            .concat('; until [ -e /tmp/end ]; do sleep 0.1; done; exit 3');
        },
        tests: {
          'install.test.ts': `import { it } from 'mocha';
import { app } from '@cc-ci/runner/harness';
it('asks for what kills it', async () => void (await app.exec('app', ['touch', '/tmp/end'])));
`,
        },
      },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /app ended while it was tested, after it had been up: .*\(3\)/,
    },
    {
      what: 'the update is paused and the old task goes on answering',
      defect: {
        head: (version) => {
          unhealthy(version);
          app(version).deploy.update_config = {
            failure_action: 'pause',
            order: 'start-first',
            monitor: '2s',
          };
        },
      },
      stages: ['upgrade'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'upgrade',
      says: /Swarm paused the update of app/,
    },
    {
      what: 'the health check fails',
      defect: { head: unhealthy },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /app keeps ending: .*unhealthy/,
    },
    {
      what: 'a task is rejected for a bind source that is not there',
      defect: { head: (version) => void app(version).volumes?.push('/nowhere-at-all:/x') },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /app cannot start: .*bind/,
    },
    {
      what: 'the app is slow, and that is no failure',
      defect: {
        head: (version) => {
          version.script = `sleep 12; ${version.script}`;
          const check = app(version).healthcheck ?? expect.fail('no health check');
          app(version).healthcheck = { ...check, start_period: '60s' };
        },
      },
      stages: ['install'],
      verdict: 'green',
    },
    {
      what: 'the registry limits the rate, and Docker calls it a missing image',
      defect: { head: (version) => image(version, `${rateLimited}/probe:1.0`) },
      stages: ['install'],
      verdict: 'error',
      blame: 'ci',
      stage: 'install',
      says: /rate limit/,
    },
    {
      what: 'no registry has the image',
      defect: { head: (version) => image(version, `${empty}/probe:1.0`) },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /probe:1\.0/,
    },
    {
      what: 'a stable web server stands beside a port that comes and goes',
      defect: {
        head: (version) => {
          version.script = version.script.replace(
            'exec httpd',
            '(while true; do nc -l -p 9000 < /dev/null > /dev/null; sleep 1; done) & exec httpd',
          );
        },
        tests: {
          'recipe.ts': `import { defineRecipe } from '@cc-ci/runner/harness';
export default defineRecipe({ tcp: [{ service: 'app', port: 9000, connects: 5 }] });
`,
        },
      },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'install',
      says: /app:9000 did not accept connection/,
    },
  ];
}

function backups(): Story[] {
  return [
    {
      what: 'the dump is cut short',
      defect: {
        head: (version) =>
          label(
            version,
            `backupbot.backup.pre-hook=printf '%s\\n' '-- MariaDB dump 10.19' 'INSERT' > /data/dump.sql`,
            'backupbot.backup.volumes.data.path=dump.sql',
          ),
      },
      stages: ['backup'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'backup',
      says: /cut short/,
      check: (record) => expect(stageOf(record, 'backup').notes.join()).to.include('backup 3 of at most 3'),
    },
    {
      what: 'a hook fails, and the backup says OK',
      defect: { head: (version) => label(version, 'backupbot.backup.pre-hook=exit 3') },
      stages: ['backup'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'backup',
      says: /failed to run command/i,
    },
    {
      what: 'the data are not among what is backed up',
      defect: {
        head: (version) => {
          version.script = `mkdir -p /data/kept; ${version.script}`;
          label(version, 'backupbot.backup.volumes.data.path=kept');
        },
        tests: { 'recipe.ts': fileHooks('/data/seed.txt') },
      },
      stages: ['backup'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'backup',
      says: /verify/,
    },
    {
      what: 'a newer snapshot of the same name is there, and is not the one restored',
      defect: {},
      abra: `case "$*" in "app backup create"*)
  "$ABRA" "$@" || exit
  for id in $(docker ps --quiet --filter "name=$(echo "$4" | tr . _)"); do docker exec "$id" sh -c 'echo stale > /data/.cc-ci-marker'; done
  exec "$ABRA" "$@" > /dev/null;;
esac`,
      stages: ['backup'],
      verdict: 'green',
    },
    {
      what: 'only the new version has backup labels: those of what is deployed count',
      defect: { base: (version) => withoutLabels(version, 'backupbot.') },
      stages: ['upgrade', 'backup'],
      verdict: 'green',
      check: (record) => expect(stageOf(record, 'backup').state).to.equal('passed'),
    },
    {
      what: 'nothing asks for backups',
      defect: { head: (version) => withoutLabels(version, 'backupbot.') },
      stages: ['install', 'backup'],
      verdict: 'green',
      check: (record) => expect(stageOf(record, 'backup').state).to.equal('structural-skip'),
    },
    {
      what: 'the dump is written into the container, not into a volume: told before any deployment',
      defect: {
        head: (version) => label(version, 'backupbot.backup.pre-hook=echo dump > /var/dump.sql'),
      },
      stages: ['install'],
      verdict: 'red',
      blame: 'recipe',
      stage: 'prepare',
      says: /^prepare: lint: .*container/,
      check: (record) => expect(stageOf(record, 'install').state).to.equal('passed'),
    },
    {
      what: 'verify cannot fail',
      defect: { tests: { 'recipe.ts': fileHooks('/data/seed.txt', { verify: '' }) } },
      stages: ['backup'],
      verdict: 'red',
      blame: 'tests',
      stage: 'backup',
      says: /verify still passes after mutate/,
    },
    {
      what: 'the recipe declines backups, with its reason',
      defect: {
        tests: {
          'recipe.ts': `import { defineRecipe } from '@cc-ci/runner/harness';
export default defineRecipe({ skip: { backup: 'it keeps nothing worth a backup' } });
`,
        },
      },
      stages: ['install', 'backup'],
      verdict: 'green',
      check: (record) =>
        expect(stageOf(record, 'backup')).to.include({
          state: 'declared-skip',
          reason: 'it keeps nothing worth a backup',
        }),
    },
  ];
}

/** A script that does something and then is abra. */
export function abraWrapper(script: string): string {
  return `#!/bin/sh\nABRA='${ABRA_EXECUTABLE}'\n${script}\nexec "$ABRA" "$@"\n`;
}

/** A registry (version 2 of the protocol) that answers every manifest with one error. */
export async function startRefusingRegistry(status: number, code: string, message: string): Promise<Server> {
  const server = createServer((request, response) => {
    const isManifest = request.url?.includes('/manifests/');
    response.writeHead(isManifest ? status : 200, { 'content-type': 'application/json' });
    response.end(isManifest ? JSON.stringify({ errors: [{ code, message }] }) : '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
