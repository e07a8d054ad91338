export * from './certificate.js';
export * from './edge.js';
