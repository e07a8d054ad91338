import { type Config, type Diagnosis, diagnose } from '@cc-ci/core';
import { daysUntil, readPem, SOON_DAYS } from '../parts/certificate.js';
import { examineCertificate } from '../parts/examine-certificate.js';
import { certificateFiles } from '../parts.js';

/** The operator's certificate, as it lies on the disk; what people are shown is the edge's matter. */
export async function examineCertificateFiles(
  zone: string,
  host: Config<'host'>['host'],
  now = new Date(),
): Promise<Diagnosis> {
  const { certificateFile, keyFile } = certificateFiles(host);
  const todo = `the operator's job: put a certificate for ${zone} and *.${zone} into ${certificateFile}, its key into ${keyFile}`;
  const [chain, key] = await Promise.all([readPem(certificateFile), readPem(keyFile)]);
  const unread = [chain, key].flatMap((file) => ('problem' in file ? [file] : []));
  const denied = unread.find(({ code }) => code === 'EACCES');
  if (denied) return diagnose.unknown('certificate', denied.problem, 'ask as root: sudo -i cc-ci doctor');
  if ('problem' in chain || 'problem' in key)
    return diagnose.fail('certificate', unread.map(({ problem }) => problem).join('; '), todo);
  const { problems, facts } = examineCertificate({ chain: chain.text, key: key.text, zone, now });
  if (problems.length > 0 || !facts)
    return diagnose.fail('certificate', `${certificateFile}: ${problems.join('; ')}`, todo);
  const days = daysUntil(facts.validTo, now);
  const said = `for ${facts.names.join(', ')}, valid until ${facts.validTo.toISOString().slice(0, 10)} (${days} days)`;
  if (days >= SOON_DAYS) return diagnose.ok('certificate', said);
  return diagnose.warn(
    'certificate',
    said,
    "the operator's job: renew it; the new one is rolled in by itself",
  );
}
