export { type DroneEngineOptions, openDroneEngine, openDroneReader } from './engine.js';
