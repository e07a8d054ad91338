import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, run } from '@cc-ci/core';

/** PEM files of a wildcard certificate. */
export interface WildcardCertificate {
  /** Certificate of the authority that clients must trust. */
  caFile: string;
  /** Certificate for `<zone>` and `*.<zone>`. */
  certFile: string;
  /** Its private key, readable by the owner only. */
  keyFile: string;
}

const VALID_DAYS = 30;
const RENEW_BEFORE_MS = 2 * 24 * 3600_000;
const OPENSSL_TIMEOUT_MS = 30_000;

/**
 * Makes a certificate for `zone` and `*.zone` in `dir`, signed by an authority made for it alone: its key is thrown
 * away at once, and it may sign for names below the zone only. One that is there and still valid for 2 days is kept.
 * @throws InputError when `zone` is not a domain name
 */
export async function makeWildcardCertificate(dir: string, zone: string): Promise<WildcardCertificate> {
  if (
    !/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(zone)
  ) {
    throw new InputError(`${zone} is not a domain name`, {
      hint: 'for example ci.example.org, in lower case',
    });
  }
  const files = {
    caFile: join(dir, 'ca.pem'),
    certFile: join(dir, 'cert.pem'),
    keyFile: join(dir, 'key.pem'),
  };
  if (await isUsable(files, zone)) return files;
  await mkdir(dir, { recursive: true });
  const work = await mkdtemp(join(dir, '.new-'));
  try {
    await issue(work, zone);
    for (const name of ['ca.pem', 'cert.pem', 'key.pem']) await rename(join(work, name), join(dir, name));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return files;
}

async function issue(work: string, zone: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: work, timeoutMs: OPENSSL_TIMEOUT_MS });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  // A name is at most 64 characters long; the names that count stand in the extensions.
  const common = zone.slice(0, 40);
  await writeFile(
    join(work, 'openssl.cnf'),
    [
      '[req]',
      'prompt = no',
      'distinguished_name = name',
      '[name]',
      `CN = ${common}`,
      '[authority]',
      'basicConstraints = critical, CA:TRUE, pathlen:0',
      'keyUsage = critical, keyCertSign, cRLSign',
      'subjectKeyIdentifier = hash',
      `nameConstraints = critical, permitted;DNS:${zone}`,
      '[server]',
      'basicConstraints = critical, CA:FALSE',
      'keyUsage = critical, digitalSignature',
      'extendedKeyUsage = serverAuth',
      'subjectKeyIdentifier = hash',
      'authorityKeyIdentifier = keyid',
      `subjectAltName = DNS:${zone}, DNS:*.${zone}`,
      '',
    ].join('\n'),
  );
  const config = ['-config', 'openssl.cnf'];
  const days = ['-days', String(VALID_DAYS)];
  const authority = ['-subj', `/CN=throw-away authority of ${common}`, '-extensions', 'authority'];
  await openssl(
    'req',
    '-x509',
    ...newKey,
    ...config,
    ...authority,
    ...days,
    '-keyout',
    'ca-key.pem',
    '-out',
    'ca.pem',
  );
  await openssl('req', '-new', ...newKey, ...config, '-keyout', 'key.pem', '-out', 'request.pem');
  const signedBy = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial'];
  const extensions = ['-extfile', 'openssl.cnf', '-extensions', 'server'];
  await openssl(
    'x509',
    '-req',
    '-in',
    'request.pem',
    ...signedBy,
    ...extensions,
    ...days,
    '-out',
    'cert.pem',
  );
  await chmod(join(work, 'key.pem'), 0o600);
}

async function isUsable(files: WildcardCertificate, zone: string): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await readFile(files.certFile));
    const authority = new X509Certificate(await readFile(files.caFile));
    return (
      Date.parse(certificate.validTo) - Date.now() > RENEW_BEFORE_MS &&
      certificate.checkHost(zone) !== undefined &&
      certificate.checkHost(`any.${zone}`) !== undefined &&
      certificate.verify(authority.publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(await readFile(files.keyFile)))
    );
  } catch {
    return false; // missing, cut short or not what it should be: made anew
  }
}
