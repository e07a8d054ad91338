import type { Group } from '../verbs.js';
import { backupGroup, restoreVerb } from './backup.js';
import { deployVerbs } from './deploy.js';
import { cmdGroup, execVerbs } from './exec.js';
import { inspectVerbs } from './inspect.js';
import { lifecycleVerbs } from './lifecycle.js';
import { secretGroup } from './secret.js';
import { volumeGroup } from './volume.js';

/** `abra app`. */
export const appGroup: Group = {
  name: 'app',
  about: 'Manage apps',
  verbs: [
    ...lifecycleVerbs,
    ...deployVerbs,
    ...inspectVerbs,
    ...execVerbs,
    cmdGroup,
    secretGroup,
    volumeGroup,
    backupGroup,
    restoreVerb,
  ],
};
