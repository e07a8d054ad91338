export { parseMachineOutput } from './abra.js';
export { longestNamePart, parseCompose, readComposeFiles } from './compose.js';
export { secretsFile } from './context.js';
export type { Progress, Say } from './progress.js';
export { finalise, isTornDown, janitor } from './reap.js';
export { findChromium } from './recipe-tests/browser.js';
export { leftoversOf, removeApp } from './remove-app.js';
export { type RunnerOptions, runAll, runStage } from './run.js';
export { watch } from './watchdog.js';
