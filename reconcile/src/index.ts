export { examineHost, type HostLook } from './doctor/index.js';
export type { DroneHost, MaybeDroneHost } from './drone-host.js';
export { ALL } from './order.js';
export {
  type Change,
  type Difference,
  definePart,
  type Inspection,
  type Look,
  type Obstacle,
  type Part,
  type PartDefinition,
} from './part.js';
export { type CertificateOptions, certificatePart } from './parts/certificate.js';
export {
  type CertificateSecretsOptions,
  certificateSecrets,
  certificateSecretsPart,
  certificateVersion,
} from './parts/certificate-secrets.js';
export { dronePart } from './parts/drone.js';
export { droneTokenPart } from './parts/drone-token.js';
export {
  type CertificateFacts,
  type CertificateInput,
  examineCertificate,
} from './parts/examine-certificate.js';
export { networkPart, PROXY_NETWORK } from './parts/network.js';
export { oauthPart } from './parts/oauth.js';
export { type SwarmOptions, swarmPart } from './parts/swarm.js';
export { droneHostOf, type HostConfig, hostLock, hostParts, loadHostConfig } from './parts.js';
export {
  EXIT_CODES,
  type PartReport,
  type PartState,
  type ReconcileOptions,
  type Report,
  reconcile,
  reconcileAlone,
} from './reconcile.js';
export { reportLines } from './words.js';
