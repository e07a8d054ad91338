export { ABRA_EXECUTABLE, FORGET_SNAPSHOTS_EXECUTABLE } from './abra/index.js';
export * from './drone/index.js';
export * from './edge/index.js';
export * from './forge/index.js';
export * from './images/index.js';
export * from './provision/index.js';
export * from './recipes/index.js';
