export { parseMachineOutput } from './abra.js';
export { longestNamePart, parseCompose, readComposeFiles } from './compose.js';
export { checkNodeSpace, checkSpace } from './disk.js';
export { pullImages } from './images.js';
export { finalise, janitor } from './reap.js';
export { leftoversOf, removeApp } from './remove-app.js';
export { type RunnerOptions, runAll, runStage } from './run.js';
export { removeSnapshots } from './snapshots.js';
export { watch } from './watchdog.js';
