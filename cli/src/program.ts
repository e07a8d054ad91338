import { Command } from 'commander';
import { addConfigCommand } from './commands/config.js';
import { addDemoCommand } from './commands/demo.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addReconcileCommand } from './commands/reconcile.js';
import { addReportCommands } from './commands/reports.js';
import { addRunCommands } from './commands/run.js';
import { addSecretsCommands } from './commands/secrets.js';
import { addServiceCommands } from './commands/services.js';
import { addTeardownCommand } from './commands/teardown.js';

/** The `cc-ci` command with all its verbs. Verbs only compose what the rooms offer. */
export function buildProgram(): Command {
  const program = new Command('cc-ci')
    .description('CI for Co-op Cloud recipes: deploys a pull request for real and reports what happened')
    .showHelpAfterError('(cc-ci --help lists what there is)')
    .exitOverride();
  addRunCommands(program);
  addTeardownCommand(program);
  addReportCommands(program);
  addServiceCommands(program);
  addConfigCommand(program);
  addDoctorCommand(program);
  addReconcileCommand(program);
  addSecretsCommands(program);
  addDemoCommand(program);
  return program;
}
