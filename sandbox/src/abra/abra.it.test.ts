import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ABRA_EXECUTABLE } from './index.js';
import { abraContract } from './testing/abra-contract.js';

const backups = join(tmpdir(), `abra-backups-${process.pid}`);
abraContract('the stand-in', {
  abra: ABRA_EXECUTABLE,
  env: { ABRA_STANDIN_BACKUPS: backups },
  backups: true,
});
