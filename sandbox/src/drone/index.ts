export { createDrone, type DroneStandIn, type DroneStandInOptions } from './drone.js';
export { type ExecStep, runExecStep, stepScript } from './exec.js';
export { type DroneServer, startDrone } from './server.js';
