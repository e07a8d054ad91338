export { clientIn } from '../parts/oauth.js';
export { callDrone } from '../remote/drone.js';
export { type Account, callGitea } from '../remote/gitea.js';
export { type BlankEngine, canStartBlankEngine, startBlankEngine } from './blank-engine.js';
export { type CertificateMaker, makeCertificates, type TestCertificate } from './certificates.js';
export { droneHostContract } from './drone-host-contract.js';
export {
  applicationsOf,
  type DroneServers,
  type DroneWorld,
  everything,
  makeDroneWorld,
  standInServers,
} from './drone-world.js';
