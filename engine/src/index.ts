export * from './engine.js';
export * from './engine-error.js';
export * from './local.js';
