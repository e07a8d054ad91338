import { join } from 'node:path';
import { describeError, readFileIfAny } from '@cc-ci/core';
import { type HostKind, secretsOf, valueProblem } from './catalogue.js';
import { DEVELOPMENT_RECIPIENT } from './development.js';
import { type EncryptedFile, readEncrypted } from './metadata.js';
import type { SecretsPlace } from './place.js';
import { CannotDecryptError, NoRecipientsError, type Sops, sopsIn } from './sops.js';

/** What a look at a file of secrets came to. No value is in it. */
export interface SecretsReport {
  file: string;
  /** What is wrong, each with what to do. */
  problems: string[];
  /** What could not be looked at, and why. */
  unseen: string[];
  /** What was seen to be right. */
  notes: string[];
}

/** Whether a host's file of secrets can be used: names, recipients and, where a key is at hand, values. Writes nothing. */
export async function checkSecrets(
  place: SecretsPlace,
  kind: HostKind,
  sops: Sops = sopsIn(place.root),
): Promise<SecretsReport> {
  const report: SecretsReport = { file: place.file, problems: [], unseen: [], notes: [] };
  const text = await readFileIfAny(join(place.root, place.file));
  if (text === undefined) {
    report.problems.push(`there is no ${place.file}: make it with cc-ci secrets init`);
    return report;
  }
  let seen: EncryptedFile;
  try {
    seen = readEncrypted(place.file, text);
  } catch (error) {
    report.problems.push(describeError(error));
    return report;
  }
  checkNames(report, seen, kind);
  await checkRecipients(report, seen, place, sops);
  if (seen.clear.length === 0) await checkValues(report, text, place, kind, sops);
  return report;
}

function checkNames(
  { problems, notes }: SecretsReport,
  { names, clear }: EncryptedFile,
  kind: HostKind,
): void {
  const needed = secretsOf(kind).map(({ name }) => name);
  const missing = needed.filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !needed.includes(name));
  for (const name of clear)
    problems.push(
      `${name} is in clear: whoever could read the file has seen it, so replace it where it is used, too`,
    );
  for (const name of missing) problems.push(`${name} is missing: cc-ci secrets init completes the file`);
  for (const name of unknown)
    problems.push(`${name} is no secret of a ${kind}: remove it with sops unset, or mend its name`);
  if (missing.length === 0) notes.push(`it has ${needed.join(', ')}`);
}

async function checkRecipients(
  { problems, unseen, notes }: SecretsReport,
  { recipients }: EncryptedFile,
  { file }: SecretsPlace,
  sops: Sops,
): Promise<void> {
  if (recipients.includes(DEVELOPMENT_RECIPIENT) && file.startsWith('hosts/'))
    problems.push('everybody can decrypt it: the development key is among its recipients');
  try {
    const wanted = await sops.recipientsFor(file);
    const lacking = wanted.filter((one) => !recipients.includes(one));
    const surplus = recipients.filter((one) => !wanted.includes(one));
    for (const one of lacking)
      problems.push(`${one} cannot decrypt it, though the rules say so: cc-ci secrets init`);
    for (const one of surplus)
      problems.push(
        `${one} can decrypt it, against the rules: rotate every secret it could read, then it cannot`,
      );
    if (lacking.length + surplus.length === 0) notes.push(`it is encrypted for ${recipients.join(', ')}`);
  } catch (error) {
    if (error instanceof NoRecipientsError) problems.push(describeError(error));
    else unseen.push(`whom the rules name: ${describeError(error)}`);
  }
}

async function checkValues(
  { problems, unseen, notes }: SecretsReport,
  text: string,
  { file }: SecretsPlace,
  kind: HostKind,
  sops: Sops,
): Promise<void> {
  let values: Map<string, string>;
  try {
    values = await sops.decrypt(file, text);
  } catch (error) {
    (error instanceof CannotDecryptError ? problems : unseen).push(describeError(error));
    return;
  }
  const wrong = secretsOf(kind).flatMap((definition) => {
    const value = values.get(definition.name);
    const problem = value === undefined ? undefined : valueProblem(definition, value);
    return problem === undefined
      ? []
      : [`${definition.name} ${problem}: cc-ci secrets rotate ${definition.name}`];
  });
  problems.push(...wrong);
  if (wrong.length === 0) notes.push('it can be decrypted here, and no value is a placeholder');
}
