import { createLogger, loadConfig } from '@cc-ci/core';
import type { Command } from 'commander';
import { openEngine, openReader } from '../engine.js';
import { keepHeapSmall, workInLittleSpace } from '../heap.js';
import { runArguments, selfCommand } from '../runner-process.js';
import { type ShutdownCause, untilShutdown } from '../shutdown.js';
import { SYSTEMD_VARIABLES, systemdUnit } from '../systemd.js';

interface ServiceFlags {
  withParent?: boolean;
}

/**
 * `cc-ci bridge` and `cc-ci dashboard`: the services. What they are made of is loaded when one is started: every run is
 * a process of this program too, and pays for what it loads in time and memory.
 */
export function addServiceCommands(program: Command): void {
  service(
    program
      .command('bridge')
      .description('watch the forge for !testme and run builds in the embedded engine'),
  ).action(async (flags: ServiceFlags) => {
    keepHeapSmall();
    const { startBridge } = await import('@cc-ci/bridge');
    const config = loadConfig(['common', 'runner', 'engine', 'bridge']);
    const logger = createLogger('bridge', config.common.logLevel);
    const withParent = flags.withParent ?? false;
    const engine = await openEngine(config, logger, {
      withParent,
      command: (request) => {
        const [file = '', ...args] = selfCommand(...runArguments(request, config.engine.buildTimeout));
        return { file, args, env: runnerEnvironment(process.env), cwd: process.cwd() };
      },
    });
    const bridge = await startBridge(config, engine, logger);
    logger.info({ url: bridge.url }, 'bridge is up');
    const unit = systemdUnit({ late: bridge.late, logger });
    await unit.ready();
    const steps = [
      { name: 'systemd', run: () => unit.stopping() },
      { name: 'bridge', run: () => bridge.stop() },
      {
        name: 'engine',
        run: (why: ShutdownCause) =>
          engine.close({ running: leavesBuilds(why, withParent) ? 'leave' : 'cancel' }),
      },
    ];
    await untilShutdown(logger, steps, withParent);
  });

  const dashboard = program.command('dashboard').description('run records to pages');
  dashboard
    .command('build')
    .description('write the pages once')
    .action(async () => {
      workInLittleSpace();
      const { buildSite, siteFolder } = await import('@cc-ci/dashboard');
      const config = loadConfig(['common', 'dashboard']);
      const engine = await openReader(config.common.stateDir);
      const { stateDir, publicUrl } = config.common;
      const { runs, written, problems } = await buildSite({
        stateDir,
        publicUrl,
        engine,
        siteDir: siteFolder(config),
      });
      engine.close();
      process.stdout.write(`${runs} runs, ${written} files written to ${siteFolder(config)}\n`);
      for (const { what, error } of problems) process.stderr.write(`${what}: ${error}\n`);
      process.exitCode = problems.length > 0 ? 2 : 0;
    });
  service(dashboard.command('serve').description('write the pages, keep them true, and serve them')).action(
    async (flags: ServiceFlags) => {
      workInLittleSpace();
      const { startDashboard } = await import('@cc-ci/dashboard');
      const config = loadConfig(['common', 'dashboard', 'reports']);
      const logger = createLogger('dashboard', config.common.logLevel);
      const engine = await openReader(config.common.stateDir);
      const server = await startDashboard(config, engine, logger);
      await untilShutdown(
        logger,
        [{ name: 'dashboard', run: () => server.stop() }],
        flags.withParent ?? false,
      );
      engine.close();
    },
  );
}

/** A service manager that restarts us wants the builds to go on; a person at a terminal, or a demo, nothing left behind. */
function leavesBuilds(why: ShutdownCause, withParent: boolean): boolean {
  return why === 'SIGTERM' && !withParent;
}

function service(command: Command): Command {
  return command.option('--with-parent', 'end when the process that started this one is gone');
}

/** A run has no business with the forge's credentials, nor with what systemd wants to hear from the bridge. */
export function runnerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const secrets = ['CC_CI_FORGE_TOKEN_FILE', 'CC_CI_DRONE_TOKEN_FILE', 'CC_CI_HOOK_SECRET_FILE'];
  const ours = new Set<string>([...secrets, ...SYSTEMD_VARIABLES]);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.has(name)));
}
