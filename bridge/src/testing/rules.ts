import { createEnrolment } from '../enrolment.js';
import type { Rules } from '../rules.js';

/** Everything is enrolled, nobody is listed, and nobody is mentioned: stories that need otherwise say so. */
export const PLAIN_RULES: Rules = {
  enrolment: createEnrolment({ patterns: undefined, file: undefined }),
  allowUsers: [],
  ignoreUsers: [],
  mention: 'never',
};
