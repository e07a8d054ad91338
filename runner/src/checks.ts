import { createRedactor, listServices, SECRETS_CHECK } from '@cc-ci/core';
import { requireApp, runTool, type StageContext } from './context.js';
import { requireNoneEnded } from './converge.js';
import { eventually } from './eventually.js';
import { StageFailure } from './failure.js';
import { checkout } from './recipe.js';
import type { AppFacts } from './recipe-tests/app-file.js';
import { type HttpClient, httpClient } from './recipe-tests/http.js';
import type { RecipeSettings } from './recipe-tests/settings.js';
import { renderApp } from './rendered.js';
import { answers, getSecurely, ROUTE_TIMEOUT_MS } from './route.js';
import { acceptsConnections } from './tcp.js';

/** What the checks work with. */
interface Subject {
  context: StageContext;
  facts: AppFacts;
  settings: RecipeSettings;
  http: HttpClient;
  /** What must be deployed. */
  commit: string;
}

/** A check every recipe gets, without writing a line. It throws what is wrong. */
interface GenericCheck {
  title: string;
  /** Whether it has anything to look at. */
  applies?(subject: Subject): boolean;
  run(subject: Subject): Promise<void>;
}

const CHECKS: readonly GenericCheck[] = [
  { title: 'the deployed commit is the one asked for', run: commitIsDeployed },
  { title: 'services and images are those of the compose files', run: imagesAreThose },
  {
    title: 'its ports accept connections',
    applies: ({ settings }) => settings.tcp.length > 0,
    run: portsAreOpen,
  },
  { title: 'answers over HTTPS with the certificate of its own name', run: servesHttps },
  { title: 'its health path answers', applies: ({ settings }) => hasHealth(settings), run: isHealthy },
];

/**
 * Runs the generic checks on the live app, all of them, and records each as a test.
 * @param commit what must be deployed
 * @throws StageFailure when one failed, blaming the recipe unless the check says otherwise
 */
export async function runGenericChecks(
  context: StageContext,
  facts: AppFacts,
  settings: RecipeSettings,
  commit: string,
): Promise<void> {
  const http = httpClient(facts);
  const subject = { context, facts, settings, http, commit };
  try {
    await runChecks(
      context,
      CHECKS.filter((check) => check.applies?.(subject) ?? true).map(({ title, run }) => ({
        title,
        run: () => run(subject),
      })),
    );
  } finally {
    await http.close();
  }
}

/**
 * Tests the app, and then looks whether a service has ended by itself meanwhile: Swarm starts another, so that tests may
 * not see it. Where one has, that is the failure, whatever the tests say.
 */
export async function testUp(context: StageContext, test: () => Promise<void>): Promise<void> {
  const { docker, signal, upSince = new Date() } = context;
  const { stack } = requireApp(context);
  const title = 'no service ended while it was tested';
  try {
    await test();
  } finally {
    if (!signal.aborted) {
      await runChecks(context, [{ title, run: () => requireNoneEnded(docker, stack, upSince) }]);
    }
  }
}

/** Looks for the app's secrets where everybody can read them, once the app has been used for a while. */
export async function secretsStaySecret(context: StageContext): Promise<void> {
  await runChecks(context, [{ title: SECRETS_CHECK, run: () => secretsAreNowhere(context) }]);
}

async function runChecks(
  context: StageContext,
  checks: readonly { title: string; run(): Promise<void> }[],
): Promise<void> {
  const failures: { error: unknown; line: string }[] = [];
  for (const { title, run } of checks) {
    const started = performance.now();
    let message: string | undefined;
    try {
      await run();
    } catch (error) {
      if (context.signal.aborted) throw error;
      message = error instanceof Error ? error.message : String(error);
      failures.push({ error, line: `${title}: ${message}` });
    }
    await context.stage.test({
      source: 'generic',
      suite: 'generic checks',
      title,
      state: message === undefined ? 'passed' : 'failed',
      durationMs: performance.now() - started,
      ...(message === undefined ? {} : { message }),
    });
  }
  const [first] = failures;
  if (!first) return;
  const blame = first.error instanceof StageFailure ? first.error.blame : 'recipe';
  throw new StageFailure(
    blame,
    first.line,
    failures.map(({ line }) => line),
  );
}

/** abra labels a chaos deployment with the first 8 digits of the commit, and `+U` for files that are not in git. */
async function commitIsDeployed({ context, commit }: Subject): Promise<void> {
  const { stack } = requireApp(context);
  const services = await listServices(context.docker, stack);
  const labels = services.map((service) => service.Spec.Labels[`coop-cloud.${stack}.chaos-version`]);
  const deployed = labels.find((label) => label !== undefined);
  const wanted = commit.slice(0, 8);
  if (deployed?.replace(/\+U$/, '') !== wanted) {
    // The tree is ours to put right: whatever deployed another commit, it was not the recipe.
    throw new StageFailure(
      'ci',
      `the deployment says commit ${deployed ?? 'unknown'}, asked for was ${wanted}`,
    );
  }
}

/** Neither a service more or less nor another image than the commit's own files say, whatever was laid over them. */
async function imagesAreThose({ context, commit }: Subject): Promise<void> {
  const { stack } = requireApp(context);
  // As they are in the commit: what was laid over them for the deployment is not theirs.
  await checkout(context, commit);
  const { images } = await renderApp(context);
  const services = await listServices(context.docker, stack);
  const deployed = new Map(
    services.map(({ Spec }) => [
      Spec.Name.slice(stack.length + 1),
      Spec.TaskTemplate.ContainerSpec.Image.replace(/@sha256:[0-9a-f]+$/, ''),
    ]),
  );
  const wrong = [...new Set([...images.keys(), ...deployed.keys()])].flatMap((name) => {
    const wanted = images.get(name)?.replace(/@sha256:[0-9a-f]+$/, '');
    const found = deployed.get(name);
    if (wanted === found) return [];
    if (wanted === undefined) return [`${name} is deployed, the compose files do not have it`];
    return [
      found === undefined
        ? `${name} is not deployed`
        : `${name} has the image ${found}, the compose files say ${wanted}`,
    ];
  });
  if (wrong.length > 0) throw new StageFailure('ci', wrong.join('; '));
}

async function portsAreOpen({ context, settings }: Subject): Promise<void> {
  for (const port of settings.tcp) await acceptsConnections(context, port);
}

async function servesHttps({ context, http }: Subject): Promise<void> {
  await answers(http, context.signal);
}

function hasHealth({ health }: RecipeSettings): boolean {
  return health.path !== '/' || health.status !== undefined;
}

async function isHealthy({ context, http, settings }: Subject): Promise<void> {
  const { path, status: wanted } = settings.health;
  await eventually(
    async () => {
      const { status } = await getSecurely(http, path);
      if (wanted ? !wanted.includes(status) : status >= 500) {
        throw new Error(
          `${path} answers HTTP ${status}, healthy is ${wanted?.join(', ') ?? 'anything below 500'}`,
        );
      }
    },
    { timeoutMs: ROUTE_TIMEOUT_MS, signal: context.signal },
  );
}

async function secretsAreNowhere(context: StageContext): Promise<void> {
  const { stack } = requireApp(context);
  const found: string[] = [];
  const services = await listServices(context.docker, stack);
  for (const service of services) {
    const name = service.Spec.Name.slice(stack.length + 1);
    const { stdout, stderr } = await runTool(context, 'docker', ['service', 'logs', '--raw', service.ID], {
      timeoutMs: 60_000,
      quiet: true,
    });
    for (const [key, value] of context.secrets) {
      const shows = (text: string) => createRedactor([value]).text(text) !== text;
      if (shows(JSON.stringify(service.Spec)))
        found.push(`${key} in the spec of service ${name} (anybody with access to Docker reads it)`);
      if (shows(`${stdout}\n${stderr}`)) found.push(`${key} in the log of service ${name}`);
    }
  }
  if (found.length > 0) throw new Error(`secret values are in plain sight: ${found.join('; ')}`);
}
