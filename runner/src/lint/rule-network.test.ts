import { expect } from 'chai';
import { describe, it } from 'mocha';
import { checkNetworks } from './rule-network.js';
import { brief, compose, edited, type Files, GOOD, lineOf, modelOf } from './testing/recipe.js';

const check = async (files: Files) => checkNetworks(await modelOf(files));
/** A second service on the network proxy, which knows the first by this. */
const worker = (variable: string, networks = '[proxy, internal]') =>
  compose(
    '  db:\n',
    `  worker:\n    image: example/app:1.2.3\n    networks: ${networks}\n    environment:\n      - ${variable}\n  db:\n`,
  );

describe('the network proxy', () => {
  it('is fine without aliases', async () => {
    expect(await check(GOOD)).to.deep.equal([]);
  });

  it('must not get a generic alias, nor one that is a service’s name', async () => {
    const plain = edited(GOOD, 'compose.yml', '      - internal\n    environment', '    environment');
    const withAlias = (alias: string) =>
      edited(plain, 'compose.yml', '      - proxy\n', `      proxy:\n        aliases: ["${alias}"]\n`);
    for (const alias of ['app', 'db', 'web', 'server', 'redis']) {
      expect(brief(await check(withAlias(alias))), alias).to.deep.equal([
        'network-generic-alias compose.yml:8',
      ]);
    }
    for (const alias of ['${STACK_NAME}_app', 'example-app', '${DOMAIN}']) {
      expect(await check(withAlias(alias)), alias).to.deep.equal([]);
    }
    const odd = edited(
      withAlias('collabora'),
      'compose.yml',
      '  db:\n',
      '  collabora:\n    image: x:1\n  db:\n',
    );
    expect(brief(await check(odd))).to.deep.equal(['network-generic-alias compose.yml:8']);
  });

  it('is known by its name, under whatever key; other networks may have any alias', async () => {
    const files = (key: string, network: string) =>
      edited(
        edited(
          GOOD,
          'compose.yml',
          '      - proxy\n      - internal\n',
          `      ${key}: { aliases: [app] }\n`,
        ),
        'compose.yml',
        '  proxy:\n    external: true\n',
        network,
      );
    const named = files('edge', '  edge:\n    external: true\n    name: proxy\n');
    expect(brief(await check(named))).to.deep.equal(['network-generic-alias compose.yml:7']);
    expect(await check(files('internal', '  proxy:\n    external: true\n'))).to.deep.equal([]);
    expect(await check(files('proxy', '  proxy:\n')), 'a network of its own').to.deep.equal([]);
  });

  it('leads to every app called app', async () => {
    for (const variable of [
      'URL=http://app:8000/x',
      'URL=postgres://user:pw@app/db',
      'UPSTREAM=app',
      'LIST=other:1,app:9000',
      'APP_HOST=app',
    ]) {
      const files = worker(variable);
      const found = await check(files);
      expect(brief(found), variable).to.deep.equal([
        `network-generic-name ${lineOf(files, 'compose.yml', variable)}`,
      ]);
      expect(found[0]?.message).to.include('write ${STACK_NAME}_app');
    }
  });

  it('has nothing to do with words that only look alike, nor with services that are not on it', async () => {
    for (const variable of [
      'URL=http://${STACK_NAME}_app:8000',
      'URL=https://app.example.com/app',
      'NAME=app',
      'DB_USER=app',
      'PATHS=/srv/app:80',
      'URL=http://webapp:80',
      'URL=http://db:5432',
    ]) {
      expect(await check(worker(variable)), variable).to.deep.equal([]);
    }
    expect(await check(worker('URL=http://app:8000', '[internal]'))).to.deep.equal([]);
  });
});
