import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createRepository, ensureTinyImage, type RecipeFiles } from '@cc-ci/sandbox/testing';

/** A service of the probe's compose file, as far as defects change it. */
export interface ProbeService {
  image: string;
  command: string[];
  stop_signal: string;
  networks: Record<string, object> | string[];
  environment?: Record<string, string>;
  volumes?: string[];
  secrets?: string[];
  healthcheck?: { test: string[]; interval: string; timeout: string; retries: number; start_period: string };
  deploy: {
    labels: string[];
    restart_policy?: object;
    update_config?: { failure_action?: string; order?: string; monitor?: string };
  };
}

export interface ProbeVersion {
  /** The script the app's container runs. */
  script: string;
  compose: { version: string; services: Record<string, ProbeService> } & Record<string, unknown>;
  sample: string;
  /** More files of the recipe, by path. */
  files: RecipeFiles;
}

export const BASE_VERSION = '1.0.0+1.0';

const SERVE = 'exec httpd -f -p 80 -h /www';
/** A web server that is up at once, its page saying which version it is. */
export const pageOf = (text: string) =>
  `mkdir -p /www; echo fine > /www/health; echo "<!doctype html><title>probe</title><h1>${text}</h1>" > /www/index.html`;

/** A recipe without a fault: one small web server with a volume and backups, whose every version starts within a second. */
export function soundVersion(image: string, text: string): ProbeVersion {
  return {
    script: `${pageOf(text)}; ${SERVE}`,
    sample: 'TYPE=probe\nDOMAIN=probe.example.com\nLETS_ENCRYPT_ENV=production\nENABLE_BACKUPS=true\n',
    files: {},
    compose: {
      version: '3.8',
      services: {
        app: {
          image,
          command: [],
          stop_signal: 'SIGKILL',
          networks: ['proxy'],
          volumes: ['data:/data'],
          healthcheck: {
            test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1/health'],
            interval: '1s',
            timeout: '2s',
            retries: 2,
            start_period: '5s',
          },
          deploy: {
            restart_policy: { condition: 'any', delay: '1s' },
            update_config: { failure_action: 'rollback', order: 'start-first', monitor: '2s' },
            labels: [
              'traefik.enable=true',
              'traefik.http.services.${STACK_NAME}.loadbalancer.server.port=80',
              'traefik.http.routers.${STACK_NAME}.rule=Host(`${DOMAIN}`)',
              'traefik.http.routers.${STACK_NAME}.entrypoints=web-secure',
              'traefik.http.routers.${STACK_NAME}.tls.certresolver=${LETS_ENCRYPT_ENV}',
              'coop-cloud.${STACK_NAME}.version=1.0.0+1.0',
              'backupbot.backup=${ENABLE_BACKUPS:-true}',
            ],
          },
        },
      },
      networks: { proxy: { external: true } },
      volumes: { data: null },
    },
  };
}

/** What a defect changes: of the published version, of the commit under test, of our tests for the recipe. */
export interface Defect {
  base?: (version: ProbeVersion) => void;
  /** `false`: nothing was published. */
  published?: false;
  head?: (version: ProbeVersion) => void;
  /** Files of `tests/probe/`. */
  tests?: Record<string, string>;
}

/** Makes the repository of the probe with a defect, and its test folder. */
export async function makeProbe(
  dir: string,
  defect: Defect,
): Promise<{ src: string; ref: string; testsDir: string }> {
  const image = await ensureTinyImage();
  const repository = await createRepository(join(dir, 'recipe'), 'probe');
  const base = soundVersion(image, 'published');
  defect.base?.(base);
  if (defect.published !== false) {
    await repository.commit(filesOf(base));
    await repository.tag(BASE_VERSION);
  }
  const head = soundVersion(image, 'head');
  defect.head?.(head);
  const ref = await repository.commit(filesOf(head));
  const testsDir = join(dir, 'tests');
  await mkdir(testsDir, { recursive: true });
  for (const [path, text] of Object.entries(defect.tests ?? {})) {
    const file = join(testsDir, 'probe', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return { src: repository.origin, ref, testsDir };
}

/** JSON is YAML. */
function filesOf({ script, compose, sample, files }: ProbeVersion): RecipeFiles {
  const services = Object.fromEntries(
    Object.entries(compose.services).map(([name, service]) => [
      name,
      // `$` is compose's own; a script's is doubled.
      service.command.length > 0
        ? service
        : { ...service, command: ['sh', '-c', script.replaceAll('$', '$$$$')] },
    ]),
  );
  return {
    'compose.yml': JSON.stringify({ ...compose, services }, null, 2),
    '.env.sample': sample,
    ...files,
  };
}
