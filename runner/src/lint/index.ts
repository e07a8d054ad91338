import type { Finding } from '@cc-ci/core';
import { readHistory } from './history.js';
import { readModel } from './model.js';
import type { Run } from './parser.js';
import { checkBackup } from './rule-backup.js';
import { checkCombinations } from './rule-combinations.js';
import { checkEnvSample } from './rule-env.js';
import { checkHealth } from './rule-health.js';
import { checkHostAccess } from './rule-host.js';
import { checkImages } from './rule-images.js';
import { checkNames } from './rule-names.js';
import { checkNetworks } from './rule-network.js';
import { checkVersions, versionLabel } from './rule-versions.js';
import { once, RULES } from './rules.js';

export { RULES, type Rule, type RuleName, rulesTable } from './rules.js';

/** What is linted, and with what. */
export interface LintInput {
  /** A clean clone at the commit under test, with the repository's tags. */
  dir: string;
  recipe: string;
  /** Runs git and docker; as core's `run`. */
  run: Run;
  signal: AbortSignal;
}

/**
 * Looks at a recipe without deploying anything: all rules of docs/lint.md. Needs git and the Docker client, no engine.
 * @returns what was found, in the order of the rules; each finding once, however many combinations have it
 * @throws InputError when compose.yml is missing, has no service app, or a compose file is no YAML
 */
export async function lintRecipe({ dir, recipe, run, signal }: LintInput): Promise<Finding[]> {
  const tools = { run, signal };
  const model = await readModel(dir, recipe);
  const [combinations, history] = await Promise.all([
    checkCombinations(model, tools),
    readHistory(dir, versionLabel(model)?.value, tools),
  ]);
  const findings = [
    ...combinations,
    ...checkEnvSample(model),
    ...checkVersions(model, history),
    ...checkNames(model),
    ...checkImages(model),
    ...checkBackup(model),
    ...checkNetworks(model),
    ...checkHealth(model),
    ...checkHostAccess(model),
  ];
  const order = RULES.map(({ rule }): string => rule);
  return once(findings).sort((a, b) => order.indexOf(a.rule) - order.indexOf(b.rule));
}
