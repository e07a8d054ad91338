import { type DockerService, listContainers, listServices } from '@cc-ci/core';
import { writeAppFacts } from '../app-facts.js';
import { runGenericChecks, secretsStaySecret, testUp } from '../checks.js';
import { requireApp, runTool, type StageContext } from '../context.js';
import { seedData, verifyData } from '../data.js';
import { awaitUp, commitOf, deployFresh } from '../deployment.js';
import { eventually } from '../eventually.js';
import { type LoadedRecipe, loadRecipe } from '../recipe-tests/hooks.js';
import { findTests, runBrowserTests, runMocha } from '../recipe-tests/run-tests.js';
import { allFailures } from '../recipe-tests/stage-tests.js';
import { awaitAnswer } from '../route.js';
import { volumeMounts } from '../volumes.js';

/** A service's `stop_grace_period` may be long, but hardly longer. */
const STOP_TIMEOUT_MS = 120_000;

/**
 * Deploys the commit under test from nothing, waits until it is healthy, tests it over HTTPS and in a browser, and
 * restarts it to see whether its data outlive that.
 */
export async function install(context: StageContext): Promise<void> {
  const { stage } = context;
  const recipe = await loadRecipe(context);
  await deployFresh(context, recipe.settings, 'head');
  const facts = await writeAppFacts(context);
  const timeout = recipe.settings.timeouts.tests;
  const { mocha, specs } = await findTests(context, 'install');
  if (!mocha && !specs)
    await stage.note(`no tests of ours for ${facts.recipe}; only the generic checks were run`);
  await allFailures([
    () =>
      stage.phase('tests', false, () =>
        testUp(context, () =>
          allFailures([
            () => runGenericChecks(context, facts, recipe.settings, commitOf(context, 'head')),
            async () => void (mocha && (await runMocha(context, [mocha], { source: 'cc-ci', timeout }))),
            () => runBrowserTests(context, facts, specs, { source: 'cc-ci', generic: true, timeout }),
          ]),
        ),
      ),
    () => outlivesRestart(context, recipe),
    () => secretsStaySecret(context),
  ]);
}

async function outlivesRestart(context: StageContext, recipe: LoadedRecipe): Promise<void> {
  const { stack } = requireApp(context);
  const volumes = await volumeMounts(context.docker, stack);
  if (volumes.length === 0 && recipe.hooks.length === 0) {
    await context.stage.note('no volumes and no seed hook: there are no data that a restart could lose');
    return;
  }
  await seedData(context, recipe);
  await context.stage.phase('restart', false, () => restart(context, recipe));
  await verifyData(context, recipe, 'after a restart');
}

/** Stops every service and starts it again, as a reboot of the server would: nothing outside the volumes is left. */
async function restart(context: StageContext, { settings }: LoadedRecipe): Promise<void> {
  const { docker, signal } = context;
  const { stack } = requireApp(context);
  const services = (await listServices(docker, stack)).filter(({ Spec }) => Spec.Mode.Replicated);
  const scale = (replicas: (service: DockerService) => number) =>
    runTool(
      context,
      'docker',
      [
        'service',
        'scale',
        '--detach',
        ...services.map((service) => `${service.Spec.Name}=${replicas(service)}`),
      ],
      { timeoutMs: 60_000 },
    );
  await scale(() => 0);
  await eventually(
    async () => {
      const names = new Set(services.map(({ Spec }) => Spec.Name));
      const left = (await listContainers(docker, stack)).filter(
        (it) => it.state === 'running' && names.has(it.service),
      );
      if (left.length > 0) throw new Error(`still running: ${left.map(({ service }) => service).join(', ')}`);
    },
    { timeoutMs: STOP_TIMEOUT_MS, signal },
  );
  await scale(({ Spec }) => Spec.Mode.Replicated?.Replicas ?? 1);
  await awaitUp(context, settings);
  await awaitAnswer(context);
}
