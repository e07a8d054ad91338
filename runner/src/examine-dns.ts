import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { type Config, type Diagnosis, diagnose } from '@cc-ci/core';

const TIMEOUT_MS = 1_500;
/** What a resolver says when it has answered, and there is no such name. */
const NO_SUCH_NAME = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * Whether DNS sends names below the zone somewhere, as every app needs: a name that nobody has ever asked for, so that
 * only a wildcard record can answer it. Where to is not judged: it may be a gateway.
 * @param servers resolvers to ask; default: this machine's
 */
export async function examineDns(
  { zone, edgeAddress }: Pick<Config<'runner'>['runner'], 'zone' | 'edgeAddress'>,
  servers?: readonly string[],
): Promise<Diagnosis> {
  if (edgeAddress)
    return diagnose.ok('dns', 'not asked for apps here: CC_CI_EDGE_ADDRESS says where they are');
  const name = `cc-ci-doctor-${randomBytes(4).toString('hex')}.${zone}`;
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
  if (servers) resolver.setServers(servers);
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length > 0) return diagnose.ok('dns', `*.${zone} is at ${addresses.join(' and ')}`);
  const codes = answers.flatMap((answer) =>
    answer.status === 'rejected' ? [String(answer.reason?.code)] : [],
  );
  if (codes.every((code) => NO_SUCH_NAME.has(code))) {
    const todo = `the operator's job: a DNS record *.${zone} that leads to this host or its gateway`;
    return diagnose.fail('dns', `there is no ${name}`, todo);
  }
  const resolvers = resolver.getServers().join(', ') || 'no resolver';
  return diagnose.unknown(
    'dns',
    `${resolvers} did not answer for ${name} (${codes.join(', ')})`,
    'see /etc/resolv.conf',
  );
}
