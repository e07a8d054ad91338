import type { AddressInfo } from 'node:net';
import { buildForgeApp, type ForgeAppOptions } from './app.js';
import type { Forge } from './forge.js';

/** Where a forge listens. */
export interface ListenOptions extends ForgeAppOptions {
  host: string;
  /** 0: any free one. */
  port: number;
}

/** A forge that listens. */
export interface ForgeServer {
  /** The address it listens on, without a slash at the end. */
  url: string;
  /** Ends open connections too; the forge's state stays for the next server. */
  close(): Promise<void>;
}

/** Serves a forge until closed. URLs in answers follow the address, unless the forge was made with a `rootUrl`. */
export async function startForge(
  forge: Forge,
  { host, port, ...options }: ListenOptions,
): Promise<ForgeServer> {
  const app = buildForgeApp(forge, options);
  await app.listen({ host, port });
  const url = addressUrl(app.server.address() as AddressInfo);
  if (!forge.rootUrlIsFixed) forge.rootUrl = url;
  return { url, close: () => app.close() };
}

// Nobody can ask "all addresses": this machine's own stands in.
function addressUrl({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (address === '::') return `http://[::1]:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
