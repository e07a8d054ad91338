import type { Config } from '@cc-ci/core';
import { createEnrolment, type Enrolment } from './enrolment.js';

/** When whoever asked is mentioned in a comment of its own once the run has ended. */
export type Mention = Config<'bridge'>['bridge']['mention'];

/** Who may ask, for what, and how much is said. */
export interface Rules {
  enrolment: Enrolment;
  /** Logins that may ask besides members of the organisation. */
  allowUsers: readonly string[];
  /** Logins whose comments are never commands. */
  ignoreUsers: readonly string[];
  mention: Mention;
}

/** The rules a bridge is configured with. */
export function rulesOf(bridge: Config<'bridge'>['bridge']): Rules {
  const { enrolled: patterns, enrolledFile: file, allowUsers, ignoreUsers, mention } = bridge;
  return { enrolment: createEnrolment({ patterns, file }), allowUsers, ignoreUsers, mention };
}

/** Whether a login is in a list; to the forge upper and lower case are the same user. */
export function isListed(logins: readonly string[], login: string): boolean {
  return logins.some((listed) => listed.toLowerCase() === login.toLowerCase());
}
