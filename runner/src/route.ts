import { writeAppFacts } from './app-facts.js';
import type { StageContext } from './context.js';
import { eventually } from './eventually.js';
import { StageFailure } from './failure.js';
import type { AppFacts } from './recipe-tests/app-file.js';
import { type HttpClient, type HttpResponse, httpClient } from './recipe-tests/http.js';

/** The edge hears of a task a moment after Swarm does, and an app may answer a moment after that. In milliseconds. */
export const ROUTE_TIMEOUT_MS = 30_000;
/** What Traefik answers for a name it has no route for. */
const FALLBACK = '404 page not found';
/** OpenSSL's and Node's codes of a certificate that is not the one it should be. */
const BAD_CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/;

/**
 * Waits until the app that is up answers through the edge, since hooks and tests that come next ask at once, and writes
 * what they may know of it. Where the generic checks come next, waiting is theirs.
 * @returns what was written
 * @throws StageFailure when it does not answer, blaming the recipe unless the edge's certificate is wrong
 */
export async function awaitAnswer(context: StageContext): Promise<AppFacts> {
  const facts = await writeAppFacts(context);
  const http = httpClient(facts);
  try {
    await answers(http, context.signal);
    return facts;
  } catch (error) {
    if (context.signal.aborted || error instanceof StageFailure) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new StageFailure('recipe', `the app is up but does not answer: ${why}`);
  } finally {
    await http.close();
  }
}

/** Waits until the landing page answers below HTTP 500, by a route of the app's own. @throws Error saying what answers */
export async function answers(http: HttpClient, signal: AbortSignal): Promise<void> {
  await eventually(async () => mustServe(await getSecurely(http, '/')), {
    timeoutMs: ROUTE_TIMEOUT_MS,
    signal,
  });
}

/** A GET that tells a certificate which is not the app's from other troubles. @throws StageFailure for that one */
export async function getSecurely(http: HttpClient, path: string): Promise<HttpResponse> {
  try {
    return await http.get(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!BAD_CERTIFICATE.test(code)) throw error;
    throw new StageFailure(
      'ci',
      `the edge shows another certificate than the wildcard one (${code}); this host's Traefik has to be looked after`,
    );
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
