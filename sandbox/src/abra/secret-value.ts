import { randomInt } from 'node:crypto';
import { InputError } from '@cc-ci/core';

const ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

const CHARSETS = new Map([
  ['default', ALPHANUMERIC],
  ['hex', '0123456789abcdef'],
  ['special', '!@#$%^&*_-+='],
  ['safespecial', '!@#%^&*_-+='],
]);

/** Consonant and vowel: a syllable that can be read aloud. */
const CONSONANTS = 'bdfghjklmnprstvz';
const VOWELS = 'aeiou';
/** 15 syllables of 80 are 94 bits. */
const WORDS = 5;
const SYLLABLES = 3;

/**
 * A new secret value: `length` random characters of a charset (names as in an env file's modifiers, joined by
 * commas), or without a length a passphrase of five words.
 * @throws InputError for a charset nobody knows
 */
export function newSecretValue(length: number | undefined, charset = 'default'): string {
  if (length === undefined) return Array.from({ length: WORDS }, word).join('-');
  const characters = charset
    .split(',')
    .map((name) => {
      const found = CHARSETS.get(name.trim().toLowerCase());
      if (!found) {
        throw new InputError(`no charset is called "${name}"`, {
          hint: `use ${[...CHARSETS.keys()].join(', ')}`,
        });
      }
      return found;
    })
    .join('');
  return Array.from({ length }, () => pick(characters)).join('');
}

function word(): string {
  return Array.from({ length: SYLLABLES }, () => pick(CONSONANTS) + pick(VOWELS)).join('');
}

const pick = (characters: string) => characters.charAt(randomInt(characters.length));
