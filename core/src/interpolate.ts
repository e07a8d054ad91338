import { InputError } from './errors.js';

const VARIABLE =
  /\$(?:(?<escaped>\$)|\{(?<braced>[A-Za-z_]\w*)(?:(?<operator>:?[-?])(?<operand>[^}]*))?\}|(?<plain>[A-Za-z_]\w*))/g;

/**
 * Replaces variables as Docker does in compose files: `$X`, `${X}`, `${X:-default}` and `${X-default}`, `${X:?error}`
 * and `${X?error}`, `$$`. Used where a name is needed before Docker sees the file; Docker itself does the rest.
 * @throws InputError for a required variable that is missing
 */
export function interpolate(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(VARIABLE, (...match) => {
    const { escaped, braced, operator, operand, plain } = match.at(-1) as Record<string, string | undefined>;
    if (escaped) return '$';
    const name = braced ?? plain ?? '';
    const value = env[name];
    const missing = operator?.startsWith(':') ? !value : value === undefined;
    if (!missing || !operator) return value ?? '';
    if (operator.endsWith('-')) return operand ?? '';
    throw new InputError(`required variable ${name} is missing a value: ${operand ?? ''}`);
  });
}

/** One use of a variable in a text. */
export interface VariableUse {
  name: string;
  /** It has a default (`:-`, `-`), be it empty. */
  hasDefault: boolean;
  /** It says itself that it must have a value (`:?`, `?`). */
  required: boolean;
}

/** The variables a text uses, in the grammar of `interpolate`, in order; `$$` is none. */
export function variablesOf(text: string): VariableUse[] {
  return [...text.matchAll(VARIABLE)].flatMap(({ groups = {} }) => {
    const name = groups.braced ?? groups.plain;
    if (name === undefined) return [];
    const operator = groups.operator?.at(-1);
    return [{ name, hasDefault: operator === '-', required: operator === '?' }];
  });
}
