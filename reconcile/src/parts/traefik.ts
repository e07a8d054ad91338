import type { Part } from '../part.js';
import { type Deployer, recipeAppPart } from '../recipe-app/part.js';
import { type Given, stackOf } from '../recipe-app/recipe-app.js';
import { type CertificateOptions, readPem } from './certificate.js';
import { certificateVersion } from './certificate-secrets.js';

export interface TraefikOptions extends CertificateOptions {
  /** The published version of the recipe; undefined: the one that is deployed, or else the newest. */
  version: string | undefined;
}

/** Where Traefik's own name is. */
export const traefikDomain = (zone: string) => `traefik.${zone}`;
/** The stack of Traefik. */
export const traefikStack = (zone: string) => stackOf(traefikDomain(zone));

/**
 * Traefik by its recipe, with the operator's wildcard certificate as secrets and nothing that asks an authority for one.
 * Where the names come from: the abra contract's section 7, that is operators' instructions (`.env.sample`, "Manual
 * wildcard certificate insertion") and the recipe of 2021; the present recipe's files are read when it is deployed.
 */
export function traefikPart(deployer: Deployer, options: TraefikOptions): Part {
  return recipeAppPart('traefik', ['network', 'certificate', 'certificate-secrets'], deployer, {
    recipe: 'traefik',
    domain: traefikDomain(options.zone),
    composeFiles: ['compose.yml', 'compose.wildcard.yml'],
    hostPortsFile: 'compose.host.yml',
    version: options.version,
    given: () => givenBy(options),
  });
}

async function givenBy({ zone, certificateFile, keyFile }: TraefikOptions): Promise<Given> {
  const [chain, key] = await Promise.all([readPem(certificateFile), readPem(keyFile)]);
  const version = 'text' in chain && 'text' in key ? versionOf(chain.text, key.text) : undefined;
  if (version === undefined) {
    const missing = `${certificateFile} or its key has changed since it was looked at`;
    return {
      kind: 'blocked',
      obstacle: { missing, whose: 'operator', todo: 'run this again once it is renewed' },
    };
  }
  return {
    kind: 'known',
    env: {
      DOMAIN: traefikDomain(zone),
      // Its file provider then names the certificate of the secrets.
      WILDCARDS_ENABLED: '1',
      // No resolver for its own name, as for every app's: none asks for a certificate.
      LETS_ENCRYPT_ENV: '',
    },
    secrets: [
      { key: 'ssl_cert', version },
      { key: 'ssl_key', version },
    ],
  };
}

/** Undefined for what is no certificate or key: it is being written just now. */
function versionOf(chain: string, key: string): string | undefined {
  try {
    return certificateVersion(chain, key);
  } catch {
    return undefined;
  }
}
