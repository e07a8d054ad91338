export { createDrone, type DroneStandIn, type DroneStandInOptions } from './drone.js';
export { type DroneServer, startDrone } from './server.js';
