import { describeIssues, InputError } from '@cc-ci/core';
import type { z } from 'zod';

/**
 * Reads an argument by its schema.
 * @throws InputError that begins with `what` the argument is
 */
export function parse<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(`${what}: ${describeIssues(parsed.error).join('; ')}`);
}
