import { setTimeout as delay } from 'node:timers/promises';
import { createLogger, httpSink, InputError, loadConfig, readSecretFile } from '@cc-ci/core';
import type { Command } from 'commander';

/** Between two looks at this host's runs: live logs are read elsewhere. In milliseconds. */
const LOOK_MS = 1_000;
/** After a failure, at the most. */
const LONGEST_WAIT_MS = 60_000;

/** `cc-ci send-reports`: for a host of runners that shares no disk with the dashboard. */
export function addReportCommands(program: Command): void {
  program
    .command('send-reports')
    .description(
      "hand this host's run records on to the dashboard of another (CC_CI_REPORT_URL), as they grow",
    )
    .option('--once', 'send what there is, and end; exit code 1 when not all of it was taken')
    .action(async ({ once = false }: { once?: boolean }) => {
      const { createReportSender } = await import('@cc-ci/runner');
      const { common, reports } = loadConfig(['common', 'reports']);
      if (reports.url === undefined || reports.tokenFile === undefined) {
        throw new InputError('cc-ci send-reports needs CC_CI_REPORT_URL and CC_CI_REPORT_TOKEN_FILE', {
          hint: 'a host that runs the dashboard itself needs neither',
        });
      }
      const token = readSecretFile(reports.tokenFile, 'CC_CI_REPORT_TOKEN_FILE');
      const logger = createLogger('send-reports', common.logLevel);
      const sender = createReportSender({
        stateDir: common.stateDir,
        sink: httpSink({ url: reports.url, token }),
        logger,
      });
      if (once) {
        const { sent, failed } = await sender.sendAll();
        process.stdout.write(`${sent} files sent${failed > 0 ? `, ${failed} runs not whole` : ''}\n`);
        process.exitCode = failed > 0 ? 1 : 0;
        return;
      }
      const stopping = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
      logger.info({ to: reports.url }, 'handing reports on');
      for (let failures = 0; !stopping.signal.aborted; ) {
        const { failed } = await sender.sendAll();
        failures = failed > 0 ? failures + 1 : 0;
        const waitMs = Math.min(LOOK_MS * 2 ** failures, LONGEST_WAIT_MS);
        await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    });
}
