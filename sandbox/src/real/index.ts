// The real servers, for tests of other rooms: nothing of the demo or the product needs them.
export { startDroneRunner } from '../drone-runner/runner.js';
export { ensurePart, type Part } from '../parts/build.js';
export * from './drone.js';
export * from './gitea.js';
export { freePort } from './program.js';
export * from './traefik.js';
