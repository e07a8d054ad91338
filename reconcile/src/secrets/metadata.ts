import { InputError } from '@cc-ci/core';
import { parse } from 'yaml';
import { z } from 'zod';

/** What can be seen of an encrypted file without any key. */
export interface EncryptedFile {
  names: string[];
  /** Names whose values are not encrypted. */
  clear: string[];
  /** Who can decrypt it, sorted. */
  recipients: string[];
}

const ENCRYPTED = /^ENC\[AES256_GCM,data:[^\]]+\]$/;
/** An empty text stays an empty text. */
const encrypted = (value: unknown) => typeof value === 'string' && (value === '' || ENCRYPTED.test(value));

const fileSchema = z.looseObject({ sops: z.looseObject({ mac: z.string() }) });
const entries = z.array(z.record(z.string(), z.unknown()));
/** Of a recipient's entry, what is not about who it is. */
const NOT_WHO = new Set(['enc', 'created_at']);

/**
 * Reads the form of an encrypted file. What is in clear in it is never quoted.
 * @param file for errors
 * @throws InputError when it is not a file of sops
 */
export function readEncrypted(file: string, text: string): EncryptedFile {
  let value: unknown;
  try {
    value = parse(text, { logLevel: 'error' });
  } catch {
    // The parser's error quotes the line.
    throw new InputError(`${file} is not YAML`, { hint: 'take it from git again' });
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    throw new InputError(`${file} is not encrypted by sops`, {
      hint: 'what is in it has been seen by all who can read the file: make new secrets with cc-ci secrets init, after moving it away',
    });
  }
  const { sops, ...rest } = parsed.data;
  return {
    names: Object.keys(rest),
    clear: Object.keys(rest).filter((name) => !encrypted(rest[name])),
    recipients: recipientsIn(sops),
  };
}

/** Who can decrypt, from sops' own part of a file: age recipients and PGP fingerprints as they are, others as JSON. */
export function recipientsIn(metadata: Record<string, unknown>): string[] {
  const groups = entries.safeParse(metadata.key_groups);
  const found = new Set<string>();
  for (const group of groups.success ? groups.data : [metadata]) {
    for (const list of Object.values(group)) {
      const read = entries.safeParse(list);
      for (const entry of read.success ? read.data : []) found.add(who(entry));
    }
  }
  return [...found].sort();
}

function who(entry: Record<string, unknown>): string {
  const name = entry.recipient ?? entry.fp;
  if (typeof name === 'string') return name;
  return JSON.stringify(Object.fromEntries(Object.entries(entry).filter(([key]) => !NOT_WHO.has(key))));
}
