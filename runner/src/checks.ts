import { type Docker, listServices } from '@cc-ci/core';
import { requireApp, type StageContext } from './context.js';
import { eventually } from './eventually.js';
import { StageFailure } from './failure.js';
import type { AppFacts } from './recipe-tests/app-file.js';
import { type HttpResponse, httpClient } from './recipe-tests/http.js';

/** The edge hears of a healthy task a moment after Swarm does. In milliseconds. */
const ROUTE_TIMEOUT_MS = 30_000;
/** What Traefik answers for a name it has no route for. */
const FALLBACK = '404 page not found';

/** A check every recipe gets, without writing a line. It throws what is wrong. */
interface GenericCheck {
  title: string;
  run(context: StageContext, facts: AppFacts): Promise<void>;
}

const CHECKS: readonly GenericCheck[] = [
  {
    title: 'the deployed commit is the one asked for',
    run: (context) => commitIsDeployed(context.docker, context),
  },
  {
    title: 'answers over HTTPS with the certificate of its own name',
    run: (context, facts) => servesHttps(context, facts),
  },
];

/**
 * Runs the generic checks on the live app, all of them, and records each as a test.
 * @throws StageFailure blaming the recipe when one failed
 */
export async function runGenericChecks(context: StageContext, facts: AppFacts): Promise<void> {
  const failures: string[] = [];
  for (const check of CHECKS) {
    const started = performance.now();
    let message: string | undefined;
    try {
      await check.run(context, facts);
    } catch (error) {
      message = error instanceof Error ? error.message : String(error);
      failures.push(`${check.title}: ${message}`);
    }
    await context.stage.test({
      source: 'generic',
      suite: 'generic checks',
      title: check.title,
      state: message === undefined ? 'passed' : 'failed',
      durationMs: performance.now() - started,
      ...(message === undefined ? {} : { message }),
    });
  }
  if (failures.length > 0)
    throw new StageFailure('recipe', failures[0] ?? 'a generic check failed', failures);
}

/** abra labels a chaos deployment with the first 8 digits of the commit, and `+U` for files that are not in git. */
async function commitIsDeployed(docker: Docker, context: StageContext): Promise<void> {
  const { stack } = requireApp(context);
  const services = await listServices(docker, stack);
  const labels = services.map((service) => service.Spec.Labels[`coop-cloud.${stack}.chaos-version`]);
  const deployed = labels.find((label) => label !== undefined);
  const wanted = context.plan.request.ref.slice(0, 8);
  if (deployed?.replace(/\+U$/, '') !== wanted) {
    throw new Error(`the deployment says commit ${deployed ?? 'unknown'}, asked for was ${wanted}`);
  }
}

async function servesHttps(context: StageContext, facts: AppFacts): Promise<void> {
  const http = httpClient(facts);
  try {
    await eventually(async () => mustServe(await http.get('/')), {
      timeoutMs: ROUTE_TIMEOUT_MS,
      signal: context.signal,
    });
  } finally {
    await http.close();
  }
}

async function mustServe(response: HttpResponse): Promise<void> {
  const text = await response.text();
  if (response.status === 404 && text.trim() === FALLBACK) {
    throw new Error(
      "the reverse proxy has no route for the app's name (are the traefik labels on a service of the proxy network?)",
    );
  }
  if (response.status >= 500)
    throw new Error(`the landing page answers HTTP ${response.status}: ${text.slice(0, 200)}`);
}
