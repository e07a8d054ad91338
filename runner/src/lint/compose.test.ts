import { expect } from 'chai';
import { describe, it } from 'mocha';
import { mergeSources } from './compose.js';
import { parseSource } from './compose-source.js';

const MAIN = `version: "3.8"
x-common: &common
  image: example/app:\${VERSION}
services:
  app:
    <<: *common
    environment:
      A: one
      B: "\${B:?must be set}"
      N: 5
    labels: [a=b]
    networks: [proxy]
    volumes:
      - data:/data:ro
      - /etc/localtime:/etc/localtime
      - type: tmpfs
        target: /tmp
      - /anonymous
    ports:
      - "127.0.0.1:8080:80/tcp"
      - "9000"
      - target: 443
        published: 8443
        mode: host
    deploy:
      labels:
        - "k=\${A}=v"
        - flag
volumes:
  data:
`;
const EXTRA = `version: "3.8"
services:
  app:
    image: example/other:2
    environment:
      - A=two
    networks:
      proxy:
        aliases: ["\${STACK_NAME}_x"]
    volumes:
      - other:/data
    healthcheck:
      test: curl localhost
      retries: 3
  db:
    image: postgres:15
volumes:
  other:
    external: true
    name: shared
`;

describe('compose files, read for the rules', () => {
  const main = parseSource('compose.yml', MAIN);
  const extra = parseSource('compose.extra.yml', EXTRA);
  const env = { VERSION: '1.0', STACK_NAME: 's', A: 'a' };
  const values = (map: Map<string, { value: string }> | undefined) =>
    Object.fromEntries([...(map ?? [])].map(([key, { value }]) => [key, value]));

  it('come with variables put in, maps and lists as one, and each thing with its line', () => {
    const app = mergeSources([main], env).services.get('app');
    expect(app?.image).to.deep.equal({ value: 'example/app:1.0', where: 'compose.yml:5' });
    expect(values(app?.environment)).to.deep.equal({ A: 'one', B: '', N: '5' });
    expect(app?.environment.get('N')?.where).to.equal('compose.yml:10');
    expect(values(app?.labels)).to.deep.equal({ k: 'a=v', flag: '' });
    expect(app?.labels.get('k')?.where).to.equal('compose.yml:27');
    expect(values(app?.containerLabels)).to.deep.equal({ a: 'b' });
    expect(app?.mounts.map(({ type, source, target, where }) => [type, source, target, where])).to.deep.equal(
      [
        ['volume', 'data', '/data', 'compose.yml:14'],
        ['bind', '/etc/localtime', '/etc/localtime', 'compose.yml:15'],
        ['tmpfs', '', '/tmp', 'compose.yml:16'],
        ['volume', '', '/anonymous', 'compose.yml:18'],
      ],
    );
    expect(app?.ports.map(({ value }) => value)).to.deep.equal(['8080', '8443']);
    expect(app?.healthcheck).to.equal(undefined);
  });

  it('are put together as Docker does', () => {
    const { services, volumes } = mergeSources([main, extra], env);
    expect([...services.keys()]).to.deep.equal(['app', 'db']);
    const app = services.get('app');
    expect(app?.image).to.deep.equal({ value: 'example/other:2', where: 'compose.extra.yml:4' });
    expect(values(app?.environment)).to.deep.equal({ A: 'two', B: '', N: '5' });
    expect(app?.networks.get('proxy')?.aliases).to.deep.equal([
      { value: 's_x', where: 'compose.extra.yml:9' },
    ]);
    expect(
      app?.mounts.find(({ target }) => target === '/data')?.source,
      'one mount for each target',
    ).to.equal('other');
    expect(app?.healthcheck).to.include({ retries: 3, disabled: false });
    expect(volumes.get('other')).to.deep.equal({
      name: 'shared',
      external: true,
      file: undefined,
      where: 'compose.extra.yml:18',
    });
    expect(volumes.get('data')?.external).to.equal(false);
  });

  it('tell their variables once for each place, and lines of key paths', () => {
    expect(main.variables.map(({ name, where, path }) => [name, where, path.join('.')])).to.deep.equal([
      ['VERSION', 'compose.yml:3', 'x-common.image'],
      ['B', 'compose.yml:9', 'services.app.environment.B'],
      ['A', 'compose.yml:27', 'services.app.deploy.labels.0'],
    ]);
    expect(main.at(['services', 'app', 'ports', '1'])).to.equal('compose.yml:21');
    expect(main.at(['services', 'nobody', 'image']), 'the nearest parent').to.equal('compose.yml:4');
    expect([main.has(['services', 'app', 'ports']), main.has(['services', 'db'])]).to.deep.equal([
      true,
      false,
    ]);
  });

  it('may be of any form: Docker is who judges that', () => {
    const odd = parseSource(
      'compose.yml',
      'services: {app: {volumes: 7, ports: x, deploy: [], networks: [[]]}, b: }\n',
    );
    expect([...mergeSources([odd], {}).services.keys()]).to.deep.equal(['app', 'b']);
    expect(mergeSources([parseSource('compose.yml', '')], {}).services.size).to.equal(0);
  });
});
