import { forgeContract } from './testing/forge-contract.js';
import { startSandboxForge } from './testing/sandbox.js';

forgeContract('sandbox', startSandboxForge);
