import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** What is to be examined. */
export interface CertificateInput {
  /** PEM: the certificate, then those that vouch for it, each for the one before. */
  chain: string;
  /** PEM of the private key, without a passphrase. */
  key: string;
  /** The certificate must hold for this name, and every name right below it. */
  zone: string;
  now: Date;
}

/** What a certificate says of itself. */
export interface CertificateFacts {
  names: string[];
  /** When the first of the chain ends. */
  validTo: Date;
}

/** A block of PEM; its first group is the kind. */
export const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/**
 * Whether a server can use a certificate and its key for a zone. Whether clients trust it is not asked: a zone may have
 * an authority of its own. Pure.
 * @returns every problem as a sentence without an end; the facts when there is a certificate to be read
 */
export function examineCertificate({ chain, key, zone, now }: CertificateInput): {
  problems: string[];
  facts?: CertificateFacts;
} {
  const read = readChain(chain);
  if (typeof read === 'string') return { problems: [read] };
  const { leaf, certificates } = read;
  const facts = {
    names: (leaf.subjectAltName ?? '')
      .split(', ')
      .filter((name) => name.startsWith('DNS:'))
      .map((name) => name.slice(4)),
    validTo: new Date(Math.min(...certificates.map(({ validTo }) => Date.parse(validTo)))),
  };
  const problems = [
    ...keyProblems(leaf, key),
    ...certificates.flatMap((certificate, index) => timeProblems(certificate, index, now)),
    ...chainProblems(certificates),
    ...nameProblems(leaf, facts.names, zone),
  ];
  return { problems, facts };
}

function readChain(pem: string): { leaf: X509Certificate; certificates: X509Certificate[] } | string {
  const certificates: X509Certificate[] = [];
  for (const [block, kind] of pem.matchAll(PEM_BLOCK)) {
    if (kind !== 'CERTIFICATE') return `it holds a ${kind?.toLowerCase()} beside certificates`;
    try {
      certificates.push(new X509Certificate(block));
    } catch {
      return `its certificate number ${certificates.length + 1} cannot be read`;
    }
  }
  const [leaf] = certificates;
  if (!leaf)
    return 'it holds no certificate (PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----)';
  // What is left of a file that was cut short would otherwise go unseen.
  if (count(pem, '-----BEGIN ') !== certificates.length) return 'its last certificate is cut short';
  return { leaf, certificates };
}

function keyProblems(leaf: X509Certificate, pem: string): string[] {
  if (/ENCRYPTED/.test(pem)) return ['the key has a passphrase, which nobody is there to type'];
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return ['the key cannot be read (PEM, from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----)'];
  }
  return leaf.checkPrivateKey(key) ? [] : ['the key belongs to another certificate'];
}

function timeProblems({ validFrom, validTo }: X509Certificate, index: number, now: Date): string[] {
  const which = index === 0 ? 'the certificate' : `certificate number ${index + 1} of the chain`;
  const day = (time: string) => new Date(time).toISOString();
  if (Date.parse(validTo) <= now.getTime()) return [`${which} has expired on ${day(validTo)}`];
  if (Date.parse(validFrom) > now.getTime()) return [`${which} is not valid before ${day(validFrom)}`];
  return [];
}

function chainProblems(certificates: readonly X509Certificate[]): string[] {
  return certificates.flatMap((certificate, index) => {
    const issuer = certificates[index + 1];
    if (!issuer) return [];
    if (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)) return [];
    return [`certificate number ${index + 2} of the chain has not signed the one before it`];
  });
}

function nameProblems(leaf: X509Certificate, names: readonly string[], zone: string): string[] {
  // As browsers do: the subject's common name counts for nothing.
  const holdsFor = (name: string) => leaf.checkHost(name, { subject: 'never' }) !== undefined;
  const missing = [
    ...(holdsFor(zone) ? [] : [zone]),
    // No certificate names it: only a wildcard can hold for it.
    ...(holdsFor(`cc-ci-any-name.${zone}`) ? [] : [`*.${zone}`]),
  ];
  if (missing.length === 0) return [];
  return [`it is for ${names.join(', ') || 'no DNS name'}, not for ${missing.join(' and ')}`];
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
