export { type BlankEngine, canStartBlankEngine, startBlankEngine } from './blank-engine.js';
export { type CertificateMaker, makeCertificates, type TestCertificate } from './certificates.js';
