import { InputError } from '@cc-ci/core';

/**
 * What abra is known or suspected to do that a program which calls it has to bear (abra contract 1, 3.3, 6.3). None of
 * it is on unless `ABRA_STANDIN_AWKWARD` names it (a comma list).
 */
export const AWKWARD = {
  terminal: 'backup and restore end where there is no terminal',
  stdout: 'log lines are on stdout, before what was asked for',
  translated: 'texts are in another language than English',
} as const;

export type Awkward = keyof typeof AWKWARD;

/** @throws InputError when something is named that there is not */
export function awkwardOf(env: NodeJS.ProcessEnv): ReadonlySet<Awkward> {
  const names = (env.ABRA_STANDIN_AWKWARD ?? '').split(',').filter((name) => name);
  for (const name of names) {
    if (!(name in AWKWARD)) {
      const known = Object.keys(AWKWARD).join(', ');
      throw new InputError(`ABRA_STANDIN_AWKWARD: there is no "${name}"`, { hint: `there are ${known}` });
    }
  }
  return new Set(names as Awkward[]);
}

/** The texts a caller could be tempted to look for, as somebody reads them who has set another language. */
const GERMAN: readonly [RegExp, string][] = [
  [/no secrets generated/, 'keine Geheimnisse erzeugt'],
  [/no secrets to remove\?/, 'keine Geheimnisse zu entfernen?'],
  [/is not deployed\?/, 'läuft nicht?'],
  [/is already deployed/, 'läuft bereits'],
  [/already exists\??/, 'gibt es schon'],
  [/snapshot (\S+) saved/, 'Abbild $1 gesichert'],
  [/snapshot (\S+) restored/, 'Abbild $1 wiederhergestellt'],
  [/backup finished/, 'Sicherung beendet'],
];

/** A text of abra's own in another language; data that were asked for are none. */
export function translate(text: string): string {
  return GERMAN.reduce((so, [english, german]) => so.replace(english, german), text);
}
