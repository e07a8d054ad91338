import { startGitea } from '../real/gitea.js';
import { forgeContract } from './testing/forge-contract.js';

forgeContract('Gitea', startGitea);
