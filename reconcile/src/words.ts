import type { PartReport, Report } from './reconcile.js';

/** A report for people: a line for each part, below it what was found, done or missing. */
export function reportLines({ dryRun, parts }: Report): string[] {
  return parts.flatMap((part) => partLines(part, dryRun));
}

function partLines({ part, state, notes, changes, obstacles, error }: PartReport, dryRun: boolean): string[] {
  return [
    `${part.padEnd(12)} ${dryRun && state === 'changed' ? 'would be changed' : state}`,
    ...notes.map((note) => `    ${note}`),
    ...changes.map(({ found, plan }) => `    ${found}: ${plan}`),
    ...obstacles.flatMap(({ missing, whose, todo }) => [
      `    ${missing}`,
      `      ${whose === 'operator' ? "the operator's job" : 'nothing to do here'}: ${todo}`,
    ]),
    ...(error === undefined ? [] : [`    ${error}`]),
  ];
}
