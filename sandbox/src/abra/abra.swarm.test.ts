import { join } from 'node:path';
import { ABRA_EXECUTABLE } from './index.js';
import { abraContract } from './testing/abra-contract.js';

abraContract('the stand-in', {
  abra: ABRA_EXECUTABLE,
  env: (folder) => ({ ABRA_STANDIN_BACKUPS: join(folder, 'backups') }),
  backups: true,
});
