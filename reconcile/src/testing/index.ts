export { type BlankEngine, startBlankEngine } from './blank-engine.js';
export { makeCertificates, type TestCertificate } from './certificates.js';
