export { parseMachineOutput } from './abra.js';
export { longestNamePart, parseCompose, readComposeFiles } from './compose.js';
export { type LintInput, lintRecipe, RULES as LINT_RULES } from './lint/index.js';
export { finalise, janitor } from './reap.js';
export { leftoversOf, removeApp } from './remove-app.js';
export { type RunnerOptions, runAll, runStage } from './run.js';
export { watch } from './watchdog.js';
