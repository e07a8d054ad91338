import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import {
  type Config,
  connectDocker,
  type Diagnosis,
  describeError,
  diagnose,
  disconnectDocker,
  dockerInfo,
  listNetworks,
  run,
} from '@cc-ci/core';
import { ABRA_HINT, abraVersionIn } from './abra.js';
import { checkNodeSpace } from './disk.js';
import { examineDns } from './examine-dns.js';
import { examineRegistry } from './examine-registry.js';

const TIMEOUT_MS = 10_000;
/** A certificate that ends within this time is told of: two weeks. */
const SOON_MS = 14 * 86_400_000;

/** Looks at what runs need of this machine: Docker, room on its disk, abra, and the edge. Changes nothing. */
export async function examineRunner(config: Config<'common' | 'runner'>): Promise<Diagnosis[]> {
  const looks = await Promise.all([
    examineDocker(config),
    examineAbra(config.runner.abra),
    examineDns(config.runner),
    examineEdge(config.runner),
    examineRegistry(),
  ]);
  return looks.flat();
}

async function examineDocker(config: Config<'common' | 'runner'>): Promise<Diagnosis[]> {
  const docker = connectDocker();
  try {
    const { ServerVersion, Swarm } = await dockerInfo(docker);
    if (!Swarm.ControlAvailable) {
      const said = `Docker ${ServerVersion} is no swarm manager (${Swarm.LocalNodeState})`;
      return [diagnose.fail('docker', said, 'docker swarm init')];
    }
    const networks = await listNetworks(docker, 'proxy');
    const space = await checkNodeSpace(docker, config);
    return [
      diagnose.ok('docker', `Docker ${ServerVersion}, a swarm manager`),
      networks.some(({ name }) => name === 'proxy')
        ? diagnose.ok('network', 'proxy is there')
        : diagnose.fail(
            'network',
            'there is no network proxy',
            'docker network create --driver overlay proxy',
          ),
      space.length === 0
        ? diagnose.ok('disk', 'has room for a run')
        : diagnose.fail('disk', space.join('; '), 'make room, or lower CC_CI_MIN_DISK and CC_CI_MIN_INODES'),
    ];
  } catch (error) {
    return [diagnose.fail('docker', describeError(error), 'start Docker, and let this user at its socket')];
  } finally {
    await disconnectDocker(docker);
  }
}

async function examineAbra(program: string): Promise<Diagnosis> {
  try {
    const { stdout } = await run(program, ['--version'], { timeoutMs: TIMEOUT_MS });
    return diagnose.ok('abra', `${program}, version ${abraVersionIn(stdout)}`);
  } catch (error) {
    return diagnose.fail('abra', error instanceof Error ? error.message : String(error), ABRA_HINT);
  }
}

/** Whether an app's name would lead to the edge, and the edge show a certificate for it that is trusted. */
async function examineEdge({
  zone,
  edgeAddress,
  edgeCaFile,
}: Config<'runner'>['runner']): Promise<Diagnosis> {
  const name = `cc-ci-doctor.${zone}`;
  const { host, port } = edgeAddress ?? { host: name, port: 443 };
  try {
    const ca = edgeCaFile === undefined ? {} : { ca: await readFile(edgeCaFile) };
    const socket = connect({ host, port, servername: name, ...ca });
    let end: Date;
    try {
      await once(socket, 'secureConnect', { signal: AbortSignal.timeout(TIMEOUT_MS) });
      end = new Date(socket.getPeerCertificate().valid_to);
    } finally {
      socket.destroy();
    }
    const said = `${host}:${port} shows a trusted certificate for *.${zone}, valid until ${end.toISOString().slice(0, 10)}`;
    if (end.getTime() - Date.now() > SOON_MS) return diagnose.ok('edge', said);
    return diagnose.warn('edge', said, "the operator's job: renew the wildcard certificate");
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const why = message || code || String(error);
    const todo = `check the reverse proxy and its wildcard certificate, the DNS record *.${zone}, CC_CI_EDGE_ADDRESS and CC_CI_EDGE_CA_FILE`;
    return diagnose.fail('edge', `${host}:${port}: ${why}`, todo);
  }
}
