export * from './engine.js';
export * from './local.js';
