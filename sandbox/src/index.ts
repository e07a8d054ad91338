import { fileURLToPath } from 'node:url';

export * from './edge/index.js';
export * from './forge/index.js';
export * from './images/index.js';
export * from './provision/index.js';
export * from './recipes/index.js';

/** The abra stand-in's executable. */
export const ABRA_STANDIN = fileURLToPath(new URL('../bin/abra', import.meta.url));
