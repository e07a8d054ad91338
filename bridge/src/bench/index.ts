export * from './hook-burst.js';
