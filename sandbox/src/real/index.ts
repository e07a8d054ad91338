// The real servers, for tests of other rooms: nothing of the demo or the product needs them.

export { ensurePart, type Part } from '../parts/build.js';
export {
  activateRepository,
  callDrone,
  createDroneToken,
  createOAuthApplication,
} from '../provision/drone.js';
export * from './drone.js';
export * from './gitea.js';
export * from './testing.js';
export * from './traefik.js';
