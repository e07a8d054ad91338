import { appLabel } from './deployed.js';

/**
 * What abra adds to a recipe's compose files, as two files of its own around them: Docker lets later files win, so
 * `before` gives service `app` the variables that the recipe does not set itself, and `after` overrides its labels.
 * JSON is YAML that every parser reads alike (`yes`, `0777` and `12:30` stay text).
 * @param version of the recipe's own files; Docker refuses to merge different ones
 */
export function overlays(
  version: string | undefined,
  environment: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): { before: string; after: string } {
  const file = (app: unknown) =>
    JSON.stringify({ ...(version === undefined ? {} : { version }), services: { app } });
  return {
    before: file({ environment: mapValues(environment, escapeVariables) }),
    after: file({ deploy: { labels: mapValues(labels, escapeVariables) } }),
  };
}

/** What is deployed: a version, or with `chaos` the tree as it is. */
export type Target = { version: string; chaos: false } | { version: string; chaos: true };

/** The labels that abra puts on service `app`. With chaos the version is the recipe's own label's. */
export function targetLabels(stack: string, recipe: string, target: Target): Record<string, string> {
  return {
    [appLabel(stack, 'recipe')]: recipe,
    [appLabel(stack, 'chaos')]: String(target.chaos),
    [appLabel(stack, target.chaos ? 'chaos-version' : 'version')]: target.version,
  };
}

/** Docker interpolates these files too. */
const escapeVariables = (text: string) => text.replaceAll('$', '$$$$');

function mapValues(values: Readonly<Record<string, string>>, change: (value: string) => string) {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}
