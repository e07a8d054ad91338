export { type DroneEngine, type DroneEngineOptions, openDroneEngine, openDroneReader } from './engine.js';
