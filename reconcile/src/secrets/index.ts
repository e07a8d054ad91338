export {
  generateSecret,
  HOST_KINDS,
  type HostKind,
  SECRETS,
  type SecretDefinition,
  type SecretSource,
  secretsOf,
  valueProblem,
} from './catalogue.js';
export { checkSecrets, type SecretsReport } from './check.js';
export { DEVELOPMENT_RECIPIENT } from './development.js';
export { readGiven } from './given.js';
export { type EncryptedFile, readEncrypted } from './metadata.js';
export { findPlace, type SecretsPlace } from './place.js';
export { CannotDecryptError, NoKeyError, NoRecipientsError, type Sops, sopsIn } from './sops.js';
export {
  initSecrets,
  type Prompt,
  rotateSecret,
  SecretsMissingError,
  type WriteOptions,
  type WriteReport,
} from './write.js';
