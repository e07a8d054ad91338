import { readFile } from 'node:fs/promises';
import { ensureImages } from '../images/index.js';
import { startTraefik } from '../real/traefik.js';
import { edgeContract } from './testing/edge-contract.js';

const ZONE = 'edge.test';
const NETWORK = 'proxy';

edgeContract('Traefik', async () => {
  await ensureImages(['radicale']);
  const traefik = await startTraefik({ zone: ZONE, network: NETWORK });
  return {
    address: '127.0.0.1',
    httpPort: traefik.httpPort,
    httpsPort: traefik.httpsPort,
    zone: ZONE,
    ca: await readFile(traefik.caFile, 'utf8'),
    network: NETWORK,
    // It looks once a second.
    noticesWithinMs: 5_000,
    close: traefik.dispose,
  };
});
