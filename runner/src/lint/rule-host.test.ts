import { expect } from 'chai';
import { describe, it } from 'mocha';
import { checkHostAccess } from './rule-host.js';
import { brief, compose, type Files, GOOD, modelOf } from './testing/recipe.js';

const check = async (files: Files) => checkHostAccess(await modelOf(files));
/** Service app with these lines added. */
const app = (...lines: string[]) =>
  compose('  app:\n', `  app:\n${lines.map((line) => `    ${line}\n`).join('')}`);

describe('access to the host', () => {
  it('is not named where there is none', async () => {
    expect(await check(GOOD)).to.deep.equal([]);
  });

  it('is named, and is no fault', async () => {
    const found = await check(
      app(
        'privileged: true',
        'cap_add: [NET_ADMIN, SYS_TIME]',
        'network_mode: host',
        'ports: ["25:25", { target: 53, published: 53, protocol: udp, mode: host }, "80"]',
      ),
    );
    expect(brief(found)).to.deep.equal([
      'host-privileged compose.yml:5',
      'host-capability compose.yml:6',
      'host-capability compose.yml:6',
      'host-network compose.yml:7',
      'host-port compose.yml:8',
      'host-port compose.yml:8',
    ]);
    expect(found.map(({ severity }) => severity)).to.deep.equal(Array(6).fill('note'));
    expect(found.map(({ message }) => message).join())
      .to.include('NET_ADMIN')
      .and.include('SYS_TIME')
      .and.include('port 53');
  });

  it('by mounts: paths of the host, and above all the socket of Docker', async () => {
    const mounts = (...items: string[]) =>
      check(
        compose(
          '- uploads:/uploads\n',
          `- uploads:/uploads\n${items.map((item) => `      - ${item}\n`).join('')}`,
        ),
      );
    expect(brief(await mounts('/etc/timezone:/etc/timezone:ro', './x:/x', 'more:/more'))).to.deep.equal([
      'host-bind compose.yml:20',
      'host-bind compose.yml:21',
    ]);
    const [socket, ...rest] = await mounts('{ type: bind, source: /var/run/docker.sock, target: /s }');
    expect(rest).to.deep.equal([]);
    expect(socket).to.include({ rule: 'host-docker-socket', severity: 'note', where: 'compose.yml:20' });
    expect(socket?.message).to.include('all rights on the server');
  });

  it('by the network called host', async () => {
    const files = compose('      - internal\n    environment', '      - outside\n    environment');
    files['compose.yml'] =
      `${files['compose.yml']?.replace('  internal:\n\nvol', '  internal:\n  outside:\n    external: true\n    name: host\n\nvol')}`;
    expect(brief(await check(files))).to.deep.equal(['host-network compose.yml:8']);
  });
});
