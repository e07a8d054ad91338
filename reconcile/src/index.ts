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
export { type BackupbotOptions, backupbotPart } from './parts/backupbot.js';
export { type CertificateOptions, certificatePart } from './parts/certificate.js';
export {
  type CertificateSecretsOptions,
  certificateSecrets,
  certificateSecretsPart,
  certificateVersion,
} from './parts/certificate-secrets.js';
export { dronePart } from './parts/drone.js';
export { droneTokenPart } from './parts/drone-token.js';
export { EDGE_SERVICE, type EdgeOptions, edgeLabels, edgePart, type Listen } from './parts/edge.js';
export {
  type CertificateFacts,
  type CertificateInput,
  examineCertificate,
} from './parts/examine-certificate.js';
export { networkPart, PROXY_NETWORK } from './parts/network.js';
export { oauthPart } from './parts/oauth.js';
export { type SwarmOptions, swarmPart } from './parts/swarm.js';
export { type TraefikOptions, traefikDomain, traefikPart, traefikStack } from './parts/traefik.js';
export { droneHostOf, type HostConfig, hostLock, hostParts, loadHostConfig } from './parts.js';
export { type Deployer, recipeAppPart } from './recipe-app/part.js';
export { type AppSecret, type Given, type RecipeApp, stackOf } from './recipe-app/recipe-app.js';
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
