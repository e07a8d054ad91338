import { readFile } from 'node:fs/promises';
import { definePart, type Inspection, type Obstacle, type Part } from '../part.js';
import { type CertificateFacts, examineCertificate } from './examine-certificate.js';

/** Where the operator's certificate is, and what it must be good for. */
export interface CertificateOptions {
  certificateFile: string;
  keyFile: string;
  zone: string;
  /** Default: the time it is. */
  now?: () => Date;
}

/** Below this many days a certificate is said to end soon; renewal is the operator's. */
export const SOON_DAYS = 14;
const DAY_MS = 86_400_000;

/** The wildcard certificate: the operator gives it, we only tell whether it can be used. */
export function certificatePart(options: CertificateOptions): Part {
  return definePart<never>({
    name: 'certificate',
    needs: [],
    inspect: () => inspectCertificate(options),
    act: async () => {},
  });
}

async function inspectCertificate(options: CertificateOptions): Promise<Inspection<never>> {
  const { certificateFile, keyFile, zone, now = () => new Date() } = options;
  const obstacle = (missing: string): Obstacle => ({
    missing,
    whose: 'operator',
    todo: `put a certificate for ${zone} and *.${zone}, with its chain, into ${certificateFile} and its key into ${keyFile}`,
  });
  const [chain, key] = await Promise.all([readPem(certificateFile), readPem(keyFile)]);
  const unread = [chain, key].flatMap((file) => ('problem' in file ? [file.problem] : []));
  if ('problem' in chain || 'problem' in key)
    return { differences: [], obstacles: unread.map(obstacle), notes: [] };
  const { problems, facts } = examineCertificate({ chain: chain.text, key: key.text, zone, now: now() });
  return {
    differences: [],
    obstacles: problems.map((problem) => obstacle(`${certificateFile}: ${problem}`)),
    notes: problems.length === 0 && facts ? [sentence(facts, now())] : [],
  };
}

function sentence({ names, validTo }: CertificateFacts, now: Date): string {
  const days = daysUntil(validTo, now);
  const until = `certificate for ${names.join(', ')}, valid until ${validTo.toISOString().slice(0, 10)}`;
  return days < SOON_DAYS ? `${until}: ONLY ${days} DAYS LEFT, renew it` : until;
}

/** Whole days from now until then. */
export function daysUntil(then: Date, now: Date): number {
  return Math.floor((then.getTime() - now.getTime()) / DAY_MS);
}

/** The text of a PEM file, or why there is none. */
export async function readPem(
  path: string,
): Promise<{ text: string } | { problem: string; code: string | undefined }> {
  try {
    return { text: await readFile(path, 'utf8') };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read: ${message}`;
    return { problem, code };
  }
}
