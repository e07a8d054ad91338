import { expect } from 'chai';
import { describe, it } from 'mocha';
import { isDatabase, parseImage } from './image.js';
import { checkImages } from './rule-images.js';
import { brief, compose, edited, GOOD, lineOf, modelOf } from './testing/recipe.js';

const IMAGE = 'image: example/app:1.2.3';
const check = async (image: string) => {
  const files = compose(IMAGE, image);
  return brief(checkImages(await modelOf(files))).map((found) =>
    found.replace(lineOf(files, 'compose.yml', image), 'there'),
  );
};

describe('images', () => {
  it('are fine with a version or a digest', async () => {
    expect(checkImages(await modelOf(GOOD))).to.deep.equal([]);
    const digest = `sha256:${'0'.repeat(64)}`;
    for (const image of [
      'app:1',
      'registry.example.com:5000/app:v1.2-alpine',
      `app@${digest}`,
      `app:latest@${digest}`,
      'app:stable-1.2',
      'app:RELEASE.2024-01-01T00-00-00Z',
      'app:main-3f2a91c',
      'app:nightly-20240101',
      'app:release-3.1',
      '"app:${VERSION:-1.2}"',
    ]) {
      expect(await check(`image: ${image}`), image).to.deep.equal([]);
    }
  });

  it('need a tag that is not latest', async () => {
    for (const image of [
      'app',
      'registry.example.com:5000/app',
      'app:latest',
      'app:latest-alpine',
      '"app:${NONE}"',
    ]) {
      expect(await check(`image: ${image}`), image).to.deep.equal(['image-unpinned there']);
    }
  });

  it('should have a tag that does not move', async () => {
    for (const tag of [
      'stable',
      'main',
      'edge',
      'nightly',
      'alpine',
      'stable-alpine3.18',
      'lts',
      'dev-slim',
    ]) {
      expect(await check(`image: app:${tag}`), tag).to.deep.equal(['image-moving there']);
    }
  });

  it('must be there at all', async () => {
    const files = compose(IMAGE, 'build: .');
    expect(brief(checkImages(await modelOf(files)))).to.deep.equal(['image-unpinned compose.yml:4']);
  });

  it('are looked at with variables of .env.sample put in, and with options switched on', async () => {
    const files = edited(
      compose(IMAGE, 'image: example/app:${APP_TAG}'),
      '.env.sample',
      'TYPE',
      'APP_TAG=edge\nTYPE',
    );
    const [found] = checkImages(await modelOf(files));
    expect(found?.message).to.equal(
      'the image of service app, example/app:edge, has a tag that moves; pin it to a version',
    );
    const option = edited(GOOD, 'compose.smtp.yml', '  app:\n', '  relay: { image: mail }\n  app:\n');
    expect(brief(checkImages(await modelOf(option)))).to.deep.equal(['image-unpinned compose.smtp.yml:3']);
  });

  it('have names of parts', () => {
    expect(parseImage('host:1/a/b:t@sha256:0')).to.deep.equal({
      repository: 'host:1/a/b',
      tag: 't',
      digest: 'sha256:0',
    });
    expect(parseImage('host:1/a')).to.deep.equal({ repository: 'host:1/a', tag: '', digest: '' });
  });

  it('are a database’s by their name', () => {
    const databases = [
      'postgres:15',
      'bitnami/postgresql',
      'pgvector/pgvector:pg16',
      'MariaDB:10',
      'library/mysql',
      'mongo:6',
    ];
    const others = [
      'example/app',
      'redis:7',
      'mongo-express',
      'prometheuscommunity/postgres-exporter',
      'app:postgres',
    ];
    expect(databases.filter((name) => !isDatabase(name))).to.deep.equal([]);
    expect(others.filter(isDatabase)).to.deep.equal([]);
  });
});
