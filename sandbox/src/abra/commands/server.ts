import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dockerInfo, InputError } from '@cc-ci/core';
import { LOCAL_SERVER, listServers } from '../app.js';
import { table } from '../context.js';
import { namesIn } from '../folders.js';
import { arg, type Call, type Group } from '../verbs.js';

/** `abra server`. */
export const serverGroup: Group = {
  name: 'server',
  about: 'Manage servers',
  verbs: [
    { name: 'add', alias: 'a', about: 'Add a server', args: '[server]', flags: ['local'], run: add },
    { name: 'ls', alias: 'list', about: 'List servers', flags: ['machine'], run: list },
    { name: 'rm', alias: 'remove', about: 'Remove a server that has no apps', args: '<server>', run: remove },
  ],
};

async function add(call: Call): Promise<void> {
  const { abra } = call;
  const name = call.args[0];
  if (name !== undefined && call.has('local'))
    throw new InputError('cannot use [server] and --local together');
  if (!call.has('local')) {
    throw new InputError('this stand-in knows the local server only', { hint: 'use --local' });
  }
  const { Swarm } = await dockerInfo(abra.docker);
  if (Swarm.LocalNodeState !== 'active' || !Swarm.ControlAvailable) {
    throw new InputError('swarm mode is not enabled on the local server?', { hint: 'docker swarm init' });
  }
  await mkdir(join(abra.dir, 'servers', LOCAL_SERVER), { recursive: true });
  abra.log.info('local server successfully added');
}

async function list(call: Call): Promise<void> {
  const { abra } = call;
  const rows = (await listServers(abra)).map((name) => ({
    name,
    host: name === LOCAL_SERVER ? 'local' : name,
  }));
  if (call.has('machine')) {
    abra.print(JSON.stringify(rows));
    return;
  }
  for (const line of table([['NAME', 'HOST'], ...rows.map(({ name, host }) => [name, host])]))
    abra.print(line);
}

async function remove(call: Call): Promise<void> {
  const { abra } = call;
  const name = arg(call, 0);
  if (!(await listServers(abra)).includes(name)) throw new InputError(`server "${name}" is not registered`);
  const folder = join(abra.dir, 'servers', name);
  const files = await namesIn(folder);
  if (files.length > 0) throw new InputError(`${folder} is not empty: ${files.join(', ')}`);
  await rmdir(folder);
  abra.log.info(`${name} removed`);
}
