export { buildForgeApp, type ForgeAppOptions } from './app.js';
export { addUser, type NewUser } from './directory.js';
export type { Fault, Faults } from './faults.js';
export { createForge, type Forge, type ForgeOptions } from './forge.js';
export { type ForgeServer, type ListenOptions, startForge } from './server.js';
