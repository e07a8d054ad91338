export { agentOf, connectDocker, type Docker, disconnectDocker, isLocalDocker } from './docker/connection.js';
export * from './docker/containers.js';
export * from './docker/engine.js';
export * from './docker/images.js';
export * from './docker/networks.js';
export * from './docker/objects.js';
export * from './docker/services.js';
export * from './docker/swarm.js';
