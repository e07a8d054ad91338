import { createHash, X509Certificate } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { connect, rootCertificates } from 'node:tls';
import { ToolMissingError } from '@cc-ci/core';
import { z } from 'zod';
import type { AppFacts } from './app-file.js';

/** How the browser is started; handed to our Playwright configuration as JSON in the environment. */
export const browserSettings = z.strictObject({
  executable: z.string(),
  args: z.array(z.string()),
  /** Where Playwright leaves traces and pictures. */
  outputDir: z.string(),
});
export type BrowserSettings = z.output<typeof browserSettings>;

export const BROWSER_VARIABLE = 'CC_CI_BROWSER';
/** Folder of a recipe's specs; unset when it has none. */
export const SPECS_VARIABLE = 'CC_CI_SPECS';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * The Chromium to use: the configured one, the first found on PATH, or the one Playwright has downloaded.
 * @throws ToolMissingError when there is none
 */
export async function findChromium(
  configured: string | undefined,
  path = process.env.PATH ?? '',
): Promise<string> {
  const names = configured ? [configured] : NAMES;
  const folders = path.split(delimiter).filter((folder) => folder);
  const files = names.flatMap((name) =>
    name.includes('/') ? [name] : folders.map((folder) => join(folder, name)),
  );
  // Asked last and only then: loading Playwright takes longer than all the rest.
  const found = files.find(isExecutable) ?? (configured ? undefined : await downloadedChromium());
  if (found) return found;
  throw new ToolMissingError(`no Chromium: looked for ${names.join(', ')}`, {
    hint: 'apt-get install chromium (or npx playwright install chromium), or point CC_CI_CHROMIUM at a Chromium or Chrome',
  });
}

async function downloadedChromium(): Promise<string | undefined> {
  const { chromium } = await import('@playwright/test');
  return [chromium.executablePath()].find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A test browser asks nobody but the app: no updates, no synchronisation, no variations. And it does not speak HTTP/2,
 * whose requests under way Chromium gives up (net::ERR_NETWORK_CHANGED, or for ever no answer) whenever an interface of
 * the node gets an address, as happens for every container of a neighbour.
 */
const QUIET = [
  '--disable-quic',
  '--disable-http2',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/**
 * Chromium's arguments for this app: its name and those below it lead to the edge, every other name and address to
 * nowhere; and where the edge's authority is not a public one, exactly the key of the certificate that was just
 * verified against it is trusted, nothing else.
 */
export async function chromiumArgs(facts: Pick<AppFacts, 'domain' | 'edge'>): Promise<string[]> {
  const { address, ca } = facts.edge;
  const args = [...QUIET, `--host-resolver-rules=${resolverRules(facts.domain, address)}`];
  if (ca) args.push(`--ignore-certificate-errors-spki-list=${await verifiedKeyHash(facts, ca)}`);
  return args;
}

/** Chromium takes the first rule that fits, for addresses like for names. */
function resolverRules(domain: string, address: AppFacts['edge']['address']): string {
  const own = [domain, `*.${domain}`];
  if (!address) return ['MAP * ~NOTFOUND', ...own.map((name) => `EXCLUDE ${name}`)].join(', ');
  const edge = address.host.includes(':') ? `[${address.host}]` : address.host;
  return [...own.map((name) => `MAP ${name} ${edge}:${address.port}`), 'MAP * ~NOTFOUND'].join(', ');
}

/** SHA-256 of the public key the edge shows for this name, after its certificate was verified. */
function verifiedKeyHash(facts: Pick<AppFacts, 'domain' | 'edge'>, ca: string): Promise<string> {
  const { host, port } = facts.edge.address ?? { host: facts.domain, port: 443 };
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host, port, servername: facts.domain, ca: [...rootCertificates, ca], timeout: 10_000 },
      () => {
        const certificate = new X509Certificate(socket.getPeerCertificate().raw);
        socket.end();
        const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
        resolve(createHash('sha256').update(key).digest('base64'));
      },
    );
    socket.on('error', reject);
    socket.on('timeout', () => socket.destroy(new Error(`no TLS answer from ${host}:${port} within 10 s`)));
  });
}
