export { serveBurst } from './burst-bridge.js';
export * from './hook-burst.js';
export * from './idle.js';
