import { InputError } from './errors.js';
import { describeIssues } from './files.js';
import { type TestRequest, testRequest } from './record.js';

/** The names a request's parts have as parameters of a build, and so as environment variables of its steps. */
const PARAMETERS = {
  run: 'RUN',
  recipe: 'RECIPE',
  ref: 'REF',
  src: 'SRC',
  origin: 'ORIGIN',
  repo: 'REPO',
  pr: 'PR',
  requestedBy: 'REQUESTED_BY',
} as const satisfies Record<keyof TestRequest, string>;

/** A request as parameters of a build; what it does not have is left out. */
export function requestParameters(request: TestRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(PARAMETERS).flatMap(([part, name]) => {
      const value = request[part as keyof TestRequest];
      return value === undefined ? [] : [[name, String(value)]];
    }),
  );
}

/**
 * The request that a build's environment describes. An empty variable counts as none.
 * @throws InputError that names every variable that is missing or malformed
 */
export function requestFromEnvironment(env: NodeJS.ProcessEnv): TestRequest {
  const parts = Object.entries(PARAMETERS).flatMap(([part, name]) => (env[name] ? [[part, env[name]]] : []));
  const parsed = testRequest.safeParse(Object.fromEntries(parts));
  if (parsed.success) return parsed.data;
  const names = new Map<string, string>(Object.entries(PARAMETERS));
  const problems = describeIssues(parsed.error).map((text) =>
    text.replace(/^\w+(?=: )/, (part) => names.get(part) ?? part),
  );
  throw new InputError(`the build's parameters: ${problems.join('; ')}`, {
    hint: 'builds are started by the bridge; by hand: cc-ci run',
  });
}
