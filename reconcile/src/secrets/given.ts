import { InputError } from '@cc-ci/core';
import { parse } from 'yaml';
import { z } from 'zod';
import { SECRETS, valueProblem } from './catalogue.js';

const given = z.record(z.string(), z.union([z.string(), z.number()]));

/**
 * Reads values that an operator gives: YAML (so JSON, too), `name: value`. A file decrypted by sops is one.
 * @param from where they come from, for errors; values are never quoted
 * @throws InputError that names every problem
 */
export function readGiven(text: string, from: string): Map<string, string> {
  let value: unknown;
  try {
    // Plain numbers stay as they are written: a token may be all digits.
    value = parse(text, { logLevel: 'error', schema: 'failsafe' });
  } catch {
    // The parser's error quotes the line.
    throw new InputError(`${from} is not YAML`, { hint: 'one `name: value` a line' });
  }
  const parsed = given.safeParse(value ?? {});
  if (!parsed.success)
    throw new InputError(`${from} is no list of texts`, { hint: 'one `name: value` a line' });
  const values = new Map(Object.entries(parsed.data).map(([name, text]) => [name, String(text)]));
  const problems = [...values].flatMap(([name, text]) => {
    const definition = SECRETS.find((one) => one.name === name);
    if (!definition) return [`there is no secret ${name}`];
    const problem = valueProblem(definition, text);
    return problem === undefined ? [] : [`${name} ${problem}`];
  });
  if (problems.length > 0) {
    throw new InputError(`${from}: ${problems.join('; ')}`, {
      hint: `the secrets are ${SECRETS.map(({ name }) => name).join(', ')}`,
    });
  }
  return values;
}
