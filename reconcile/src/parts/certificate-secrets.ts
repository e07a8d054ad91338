import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { createSecret, type Docker, listSecrets } from '@cc-ci/core';
import { definePart, type Inspection, type Part } from '../part.js';
import { type CertificateOptions, readPem } from './certificate.js';
import { examineCertificate, PEM_BLOCK } from './examine-certificate.js';

export interface CertificateSecretsOptions extends CertificateOptions {
  /** The stack of Traefik. */
  stack: string;
}

interface SecretAction {
  name: string;
  data: Buffer;
}

/** With 45 characters of stack, `_ssl_cert_` and `v`, as many as Docker's 64 leave. */
const DIGEST_LENGTH = 8;

/**
 * The swarm secrets with which the traefik recipe serves the operator's certificate. Their version is the certificate's
 * fingerprint, so that nothing must be remembered: a renewed certificate has no secrets of its version yet. The old ones
 * stay: Traefik uses them until it is deployed with the new version.
 */
export function certificateSecretsPart(docker: Docker, options: CertificateSecretsOptions): Part {
  return definePart<SecretAction>({
    name: 'certificate-secrets',
    needs: ['swarm', 'certificate'],
    async inspect() {
      const there = await listSecrets(docker, `${options.stack}_ssl_`);
      return inspectSecrets(options, new Set(there.map(({ name }) => name)));
    },
    act: ({ name, data }) => createSecret(docker, name, data),
  });
}

async function inspectSecrets(
  { certificateFile, keyFile, zone, stack, now = () => new Date() }: CertificateSecretsOptions,
  there: ReadonlySet<string>,
): Promise<Inspection<SecretAction>> {
  const [chain, key] = await Promise.all([readPem(certificateFile), readPem(keyFile)]);
  // Looked at again, in what was read now: a renewal writes one file after the other.
  const problems =
    'problem' in chain || 'problem' in key
      ? ['it or its key cannot be read']
      : examineCertificate({ chain: chain.text, key: key.text, zone, now: now() }).problems;
  if ('problem' in chain || 'problem' in key || problems.length > 0) {
    const missing = `${certificateFile} has changed since it was looked at: ${problems.join('; ')}`;
    const todo = 'run this again once it is renewed';
    return { differences: [], obstacles: [{ missing, whose: 'operator', todo }], notes: [] };
  }
  const secrets = certificateSecrets(stack, chain.text, key.text);
  const missing = secrets.filter(({ name }) => !there.has(name));
  return {
    differences: missing.map((action) => ({
      found: `there is no secret ${action.name}`,
      plan: 'make it of the certificate',
      action,
    })),
    obstacles: [],
    notes: secrets.filter(({ name }) => there.has(name)).map(({ name }) => `secret ${name}`),
  };
}

/**
 * Names and contents of the secrets of a certificate: `<stack>_ssl_cert_<version>` and `<stack>_ssl_key_<version>`, as
 * the traefik recipe's `compose.wildcard.yml` names them. Pure.
 */
export function certificateSecrets(stack: string, chain: string, key: string): SecretAction[] {
  const version = certificateVersion(chain, key);
  return [
    { name: `${stack}_ssl_cert_${version}`, data: Buffer.from(chain) },
    { name: `${stack}_ssl_key_${version}`, data: Buffer.from(key) },
  ];
}

/**
 * The version of a certificate's secrets: the same for the same chain and key, however their files are written. Nothing
 * of the private key goes into it.
 */
export function certificateVersion(chain: string, key: string): string {
  const hash = createHash('sha256');
  for (const [block] of chain.matchAll(PEM_BLOCK)) hash.update(new X509Certificate(block).raw);
  hash.update(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  return `v${hash.digest('hex').slice(0, DIGEST_LENGTH)}`;
}
