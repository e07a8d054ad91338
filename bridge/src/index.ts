export * from './app.js';
export * from './bridge.js';
export * from './context.js';
export { examineBridge } from './doctor.js';
export * from './forge/client.js';
export * from './forge/errors.js';
export * from './forge/lists.js';
export * from './forge/schemas.js';
export * from './start.js';
