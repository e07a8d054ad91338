export * from './history.js';
export * from './repository.js';
