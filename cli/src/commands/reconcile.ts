import { connectDocker, disconnectDocker } from '@cc-ci/core';
import type { Command } from 'commander';

interface ReconcileFlags {
  dryRun?: boolean;
  json?: boolean;
}

/** `cc-ci reconcile`: parts of the host to what they should be. */
export function addReconcileCommand(program: Command): void {
  program
    .command('reconcile <parts...>')
    .description(
      'bring parts of this host, and what they need, to what they should be: swarm, network, certificate, traefik, backupbot, edge, oauth, drone-token, drone, or all. ' +
        'Exit code 0: all was right, 3: something was changed, 4: something is missing that an operator must give, 2: it failed',
    )
    .option('--dry-run', 'only look, and print what would be changed')
    .option('--json', 'for machines')
    .action(async (names: string[], flags: ReconcileFlags) => {
      const { EXIT_CODES, hostLock, hostParts, loadHostConfig, reconcileAlone, reportLines } = await import(
        '@cc-ci/reconcile'
      );
      const config = loadHostConfig();
      const docker = connectDocker();
      try {
        const report = await reconcileAlone(hostLock(config), hostParts(config, docker), names, {
          dryRun: flags.dryRun ?? false,
          // At once and on stderr: who is killed half-way has said what it was at.
          onChange: (part, { found, plan }) => process.stderr.write(`${part}: ${found}: ${plan}\n`),
        });
        const text = flags.json ? JSON.stringify(report, null, 2) : reportLines(report).join('\n');
        process.stdout.write(`${text}\n`);
        process.exitCode = EXIT_CODES[report.state];
      } finally {
        await disconnectDocker(docker);
      }
    });
}
