import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@cc-ci/core';

/** Files of a certificate in PEM. */
export interface TestCertificate {
  certificateFile: string;
  keyFile: string;
}

/** Makes certificates with openssl, as an operator's would be or with what can be wrong with them. */
export interface CertificateMaker {
  /** One for these names, signed by an intermediate authority, with its chain. Days from today; default 0 to 90. */
  issue(
    name: string,
    names: readonly string[],
    days?: { from?: number; to?: number },
  ): Promise<TestCertificate>;
  /** The authority's own certificate. */
  authorityFile: string;
}

/** Makes an authority and an intermediate in `dir`, and what issues certificates of them. */
export async function makeCertificates(dir: string): Promise<CertificateMaker> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: dir, timeoutMs: 30_000 });
  await writeFile(
    join(dir, 'openssl.cnf'),
    [
      ...['[ca]', 'default_ca = it', '[it]', 'database = index', 'new_certs_dir = .', 'rand_serial = yes'],
      ...['default_md = sha256', 'policy = any', 'unique_subject = no', '[any]', 'commonName = supplied'],
      ...['[req]', 'distinguished_name = name', '[name]'],
      ...['[authority]', 'basicConstraints = critical, CA:TRUE', 'keyUsage = keyCertSign', ''],
    ].join('\n'),
  );
  await writeFile(join(dir, 'index'), '');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const config = ['-config', 'openssl.cnf'];
  const sign = (signer: string, request: string, out: string, rest: string[]) =>
    openssl(
      'ca',
      '-batch',
      '-notext',
      ...config,
      '-cert',
      `${signer}.pem`,
      '-keyfile',
      `${signer}.key`,
      '-in',
      request,
      '-out',
      out,
      ...rest,
    );
  const request = (name: string, subject: string) =>
    openssl(
      'req',
      '-new',
      ...newKey,
      ...config,
      '-subj',
      `/CN=${subject}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );

  await openssl(
    'req',
    '-x509',
    ...newKey,
    ...config,
    '-subj',
    '/CN=root',
    '-extensions',
    'authority',
    '-days',
    '3650',
    '-keyout',
    'root.key',
    '-out',
    'root.pem',
  );
  await request('middle', 'middle');
  await sign('root', 'middle.csr', 'middle.pem', ['-extensions', 'authority', '-days', '3650']);

  return {
    authorityFile: join(dir, 'root.pem'),
    async issue(name, names, { from = 0, to = 90 } = {}) {
      await request(name, 'a name that counts for nothing');
      const extensions = join(dir, `${name}.ext`);
      await writeFile(
        extensions,
        names.length > 0
          ? `subjectAltName = ${names.map((one) => `DNS:${one}`).join(', ')}\n`
          : 'keyUsage = digitalSignature\n',
      );
      await sign('middle', `${name}.csr`, `${name}.pem`, [
        '-extfile',
        extensions,
        '-startdate',
        opensslTime(from),
        '-enddate',
        opensslTime(to),
      ]);
      const certificateFile = join(dir, `${name}-chain.pem`);
      const chain = await Promise.all(
        [`${name}.pem`, 'middle.pem'].map((file) => readFile(join(dir, file), 'utf8')),
      );
      await writeFile(certificateFile, chain.join(''));
      return { certificateFile, keyFile: join(dir, `${name}.key`) };
    },
  };
}

/** A day, counted from today, as openssl's `ca` wants it. */
function opensslTime(days: number): string {
  const time = new Date(Date.now() + days * 86_400_000);
  return `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
