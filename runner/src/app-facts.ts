import { readFile } from 'node:fs/promises';
import { envValues, writeJson } from '@cc-ci/core';
import { appEnvFile, requireApp, type StageContext } from './context.js';
import { type AppFacts, appFile } from './recipe-tests/app-file.js';

/** Writes what a test process may know of the app as it is deployed now, and answers it. */
export async function writeAppFacts(context: StageContext): Promise<AppFacts> {
  const { domain, stack } = requireApp(context);
  const { edgeAddress, edgeCaFile } = context.config.runner;
  const facts: AppFacts = {
    recipe: context.plan.request.recipe,
    url: `https://${domain}`,
    domain,
    stack,
    env: envValues(await readFile(appEnvFile(context), 'utf8')),
    secrets: Object.fromEntries(context.secrets),
    edge: {
      ...(edgeAddress ? { address: edgeAddress } : {}),
      ...(edgeCaFile ? { ca: await readFile(edgeCaFile, 'utf8') } : {}),
    },
  };
  await writeJson(appFile(context.dir), facts, 0o600);
  return facts;
}
