import { envLine, envValues, parseEnvFile } from '@cc-ci/core';

/**
 * An app's env file with these values, and with what the recipe's sample has and it has not: all of it where there is
 * no file's text, and what is new in a version. The rest stays as it is. Pure.
 */
export function completedEnv(text: string, sample: string, values: Readonly<Record<string, string>>): string {
  const known = parseEnvFile(text);
  const kept = text.split('\n').filter((line) => !(assignedIn(line) in values));
  // With their comments: abra reads there how a secret is to be made.
  const added = [...parseEnvFile(sample)]
    .filter(([name]) => !known.has(name) && !(name in values))
    .map(([name, { value, comment }]) => `${envLine(name, value)}${comment ? ` # ${comment}` : ''}`);
  const ours = Object.entries(values).map(([name, value]) => envLine(name, value));
  return `${[kept.join('\n').trimEnd(), ...added, ...ours].filter(Boolean).join('\n')}\n`;
}

/** What changes from one env file's text to another's, in words. Pure. */
export function envChanges(before: string, after: string): string[] {
  const [old, wanted] = [envValues(before), envValues(after)];
  return Object.entries(wanted)
    .filter(([name, value]) => old[name] !== value)
    .map(([name, value]) =>
      name in old ? `${name} is "${old[name]}" instead of "${value}"` : `${name} is missing`,
    );
}

/** The name that a line of an env file gives a value to; empty where it gives none. */
function assignedIn(line: string): string {
  return [...parseEnvFile(line).keys()][0] ?? '';
}
