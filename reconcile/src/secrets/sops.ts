import { CcCiError, CommandFailedError, InputError, run } from '@cc-ci/core';
import { z } from 'zod';
import { recipientsIn } from './metadata.js';

/** The file that says who can decrypt what (github.com/getsops/sops, "Using .sops.yaml conf"). */
export const RULES_FILE = '.sops.yaml';

const TIMEOUT_MS = 30_000;
const SOPS_HINT =
  'install it: `nix develop` has it, other systems https://github.com/getsops/sops/releases, and `npm run parts -- sops` builds it (then add its folder to PATH)';
/** Variables that would make sops encrypt for others than the rules say. */
const RECIPIENT_VARIABLES = new Set([
  'SOPS_AGE_RECIPIENTS',
  'SOPS_AZURE_KEYVAULT_URLS',
  'SOPS_GCP_KMS_IDS',
  'SOPS_HUAWEICLOUD_KMS_IDS',
  'SOPS_KMS_ARN',
  'SOPS_PGP_FP',
  'SOPS_VAULT_URIS',
]);

/** The `sops` program, over the rules of one folder. Values travel by pipes only. Paths are relative to that folder. */
export interface Sops {
  /**
   * @returns the text of the encrypted file, YAML, for those whom the rules name for `file`
   * @throws NoRecipientsError when they name nobody
   */
  encrypt(file: string, values: ReadonlyMap<string, string>): Promise<string>;
  /**
   * @param text of an encrypted file
   * @throws NoKeyError when no key here is one of its recipients'
   * @throws CannotDecryptError when the text was tampered with
   */
  decrypt(file: string, text: string): Promise<Map<string, string>>;
  /**
   * Whom the rules name for a file, sorted.
   * @throws NoRecipientsError when they name nobody
   */
  recipientsFor(file: string): Promise<string[]>;
}

/** The rules name nobody who may decrypt a file. Nothing was written. */
export class NoRecipientsError extends InputError {}

/** The file is damaged, or not of this form. */
export class CannotDecryptError extends CcCiError {}

/** None of the keys there are here is one of the file's recipients. */
export class NoKeyError extends CcCiError {}

const plain = z.record(z.string(), z.string());

/** `sops` with the rules in `folder`. Nothing is run before it is asked something. */
export function sopsIn(folder: string, env: NodeJS.ProcessEnv = process.env): Sops {
  const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !RECIPIENT_VARIABLES.has(name)));

  /** @throws SopsFailedError with what sops said on stderr: stdout may hold values */
  async function sops(verb: 'encrypt' | 'decrypt', file: string, types: string[], input: string) {
    const said: string[] = [];
    const words = ['--config', RULES_FILE, verb, '--filename-override', file, ...types];
    try {
      const { stdout } = await run('sops', words, {
        cwd: folder,
        env: clean,
        input,
        timeoutMs: TIMEOUT_MS,
        missingHint: SOPS_HINT,
        onLine: (line, stream) => stream === 'stderr' && said.push(line),
      });
      return stdout;
    } catch (error) {
      // Without the error as a cause: it carries the output.
      if (error instanceof CommandFailedError) throw new SopsFailedError(said.join('\n').trim());
      throw error;
    }
  }

  async function encrypt(file: string, values: ReadonlyMap<string, string>, to: 'yaml' | 'json') {
    const text = JSON.stringify(Object.fromEntries(values));
    try {
      return await sops('encrypt', file, ['--input-type', 'json', '--output-type', to], text);
    } catch (error) {
      throw error instanceof SopsFailedError ? encryptError(file, error.said) : error;
    }
  }

  return {
    encrypt: (file, values) => encrypt(file, values, 'yaml'),
    async decrypt(file, text) {
      let json: string;
      try {
        json = await sops('decrypt', file, ['--input-type', 'yaml', '--output-type', 'json'], text);
      } catch (error) {
        throw error instanceof SopsFailedError ? decryptError(file, error.said) : error;
      }
      const parsed = plain.safeParse(JSON.parse(json));
      if (!parsed.success) throw new InputError(`${file} holds something else than texts, one a name`);
      return new Map(Object.entries(parsed.data));
    },
    // sops itself is asked: it alone knows how its rules are read.
    async recipientsFor(file) {
      const { sops: metadata } = JSON.parse(await encrypt(file, new Map([['nothing', 'at all']]), 'json'));
      return recipientsIn(metadata);
    },
  };
}

class SopsFailedError extends Error {
  constructor(readonly said: string) {
    super(said);
  }
}

function encryptError(file: string, said: string): CcCiError {
  const todo = `add the host's and your own age recipient to the rule of ${file} in ${RULES_FILE} (docs/secrets.md)`;
  if (/no matching creation rules found/.test(said))
    return new NoRecipientsError(`${RULES_FILE} has no rule for ${file}`, { hint: todo });
  if (/empty key group|no master keys/i.test(said))
    return new NoRecipientsError(`${RULES_FILE} names nobody who may decrypt ${file}`, { hint: todo });
  return new CcCiError(`sops cannot encrypt ${file}: ${said}`);
}

function decryptError(file: string, said: string): CcCiError {
  if (/data key|master key|age identit/i.test(said))
    return new NoKeyError(`${file} cannot be decrypted here: no key of its recipients is at hand`, {
      hint: 'name the file of your age key in SOPS_AGE_KEY_FILE; docs/secrets.md says what to do when no key is left',
    });
  if (/MAC mismatch|authentication failed|Could not decrypt/i.test(said))
    return new CannotDecryptError(`${file} has been changed by something else than sops`, {
      hint: 'take it from git again',
    });
  return new CannotDecryptError(`sops cannot decrypt ${file}`, {
    hint: `run sops decrypt ${file} to see why`,
  });
}
