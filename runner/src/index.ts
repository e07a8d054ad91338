export { type AbraHome, callAbra, parseMachineOutput } from './abra.js';
export { holdAgainstContract } from './abra-doctor.js';
export { LIST_TAGS, type PublishedVersion, versionsIn } from './base.js';
export {
  type ComposeFile,
  longestNamePart,
  MAIN_COMPOSE_FILE,
  parseCompose,
  readComposeFiles,
} from './compose.js';
export { waitConverged } from './converge.js';
export { checkNodeSpace, checkSpace } from './disk.js';
export { examineRunner } from './doctor.js';
export { DeadlineError } from './failure.js';
export { pullImages } from './images.js';
export { DEFAULT_MAX_AGE_MS, type JanitorOptions, type JanitorReport, janitor } from './janitor.js';
export { type LintInput, lintRecipe, RULES as LINT_RULES } from './lint/index.js';
export { hostHasIpvs, OVERLAY_FILE, overlayFor, writeOverlay } from './overlay.js';
export type { Progress, Say } from './progress.js';
export { finalise } from './reap.js';
export { GIT_ENV } from './recipe.js';
export { findChromium } from './recipe-tests/browser.js';
export { leftoversOf, removeApp } from './remove-app.js';
export { type RenderedApp, renderRecipe } from './rendered.js';
export { type RunnerOptions, runAll, runStage } from './run.js';
export { createReportSender, type ReportSender } from './send-reports.js';
export { removeSnapshots } from './snapshots.js';
export { watch } from './watchdog.js';
