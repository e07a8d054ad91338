import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { parse } from 'yaml';
import { longestNamePart, parseCompose, readComposeFiles } from './compose.js';
import { overlayFor } from './overlay.js';

const MAIN = `version: "3.8"
services:
  app:
    image: nginx:1.22.1
`;

describe('compose files', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-compose-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const refusal = async (): Promise<string> => {
    try {
      await readComposeFiles(dir);
    } catch (error) {
      if (error instanceof InputError) return error.message;
      throw error;
    }
    return expect.fail('it was accepted');
  };

  it('are read with all their variants', async () => {
    await writeFile(join(dir, 'compose.yml'), MAIN);
    await writeFile(join(dir, 'compose.db.yml'), 'services:\n  db:\n    image: postgres:15\n');
    await writeFile(join(dir, 'not-compose.yml'), ': : :');
    expect([...(await readComposeFiles(dir)).keys()]).to.deep.equal(['compose.db.yml', 'compose.yml']);
  });

  it("are refused with the file's own error: name, line, column", async () => {
    await writeFile(join(dir, 'compose.yml'), `${MAIN}    ports: [unclosed\n`);
    const message = await refusal();
    expect(message)
      .to.match(/^compose\.yml: /)
      .and.match(/line \d+, column \d+/);
  });

  it('are refused when what they hold is no compose file', async () => {
    await writeFile(join(dir, 'compose.yml'), 'services: 7\n');
    expect(await refusal()).to.match(/^compose\.yml: services: /);
    await writeFile(join(dir, 'compose.yml'), 'just text\n');
    expect(await refusal()).to.match(/^compose\.yml: /);
    await writeFile(join(dir, 'compose.yml'), '');
    expect(await refusal()).to.match(/^compose\.yml/);
  });

  it('may share parts by merge keys, and are refused where those lead nowhere', async () => {
    const shared = parseCompose('compose.yml', 'x-a: &a\n  image: x:1\nservices:\n  app:\n    <<: *a\n');
    expect(shared.services?.app?.image).to.equal('x:1');
    await writeFile(join(dir, 'compose.yml'), 'services:\n  app:\n    <<: 7\n');
    expect(await refusal()).to.match(/^compose\.yml: Merge sources must be maps/);
    const aliases = Array.from({ length: 9 }, (_, n) => `x${n}: &x${n} [${`*x${n - 1},`.repeat(9)}]`).slice(
      1,
    );
    await writeFile(join(dir, 'compose.yml'), `x0: &x0 [a]\n${aliases.join('\n')}\n`);
    expect(await refusal()).to.match(/^compose\.yml: Excessive alias count/);
  });

  it('must be there, with a service called app', async () => {
    expect(await refusal()).to.include('no compose.yml');
    await writeFile(join(dir, 'compose.yml'), 'services:\n  web:\n    image: x\n');
    expect(await refusal()).to.include('no service called "app"');
  });

  it('tell the longest name that follows the stack', () => {
    const file = parseCompose(
      'compose.yml',
      `services: {}
configs:
  nginx_default_conf: { name: "\${STACK_NAME}_nginx_default_conf_\${NGINX_CONF_VERSION}", file: x }
secrets:
  pw: { external: true, name: "\${STACK_NAME}_pw_\${SECRET_PW_VERSION:-v1}" }
  unnamed_and_quite_long_secret_key: { external: true }
  plain:
`,
    );
    expect(longestNamePart([file])).to.equal('unnamed_and_quite_long_secret_key'.length);
    const { secrets: _, ...configsOnly } = file;
    expect(longestNamePart([configsOnly])).to.equal('nginx_default_conf_v99'.length);
    expect(longestNamePart([])).to.equal(0);
  });
});

describe('overlay', () => {
  const files = [
    parseCompose('compose.yml', `${MAIN}  vip:\n    image: x\n    deploy: { endpoint_mode: vip }\n`),
    parseCompose(
      'compose.mail.yml',
      'services:\n  smtp:\n    image: y\n    ports: ["25:25"]\n  db:\n    image: z\n',
    ),
  ];

  it('is not needed where the kernel has IPVS', () => {
    expect(overlayFor(files, true)).to.equal(undefined);
  });

  it('gives every service DNS round robin, but not one that publishes ports or chose for itself', () => {
    const overlay = overlayFor(files, false);
    expect(parse(overlay?.text ?? '').services).to.deep.equal({
      app: { deploy: { endpoint_mode: 'dnsrr' } },
      db: { deploy: { endpoint_mode: 'dnsrr' } },
    });
    expect(overlay?.why).to.equal('endpoint_mode: dnsrr for app, db, because this host has no IPVS');
  });

  it('is of the version the files are of', () => {
    const version = (text: string) =>
      parse(overlayFor([parseCompose('compose.yml', text)], false)?.text ?? '').version;
    expect(version('version: "3.6"\nservices:\n  app:\n    image: x\n')).to.equal('3.6');
    expect(version('services:\n  app:\n    image: x\n')).to.equal('3.8');
  });

  it('never touches an image', () => {
    expect(overlayFor(files, false)?.text).to.not.include('image');
  });
});
