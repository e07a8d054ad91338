import { droneHostContract } from './testing/drone-host-contract.js';
import { standInServers } from './testing/drone-world.js';

droneHostContract('stand-ins', () => standInServers());
