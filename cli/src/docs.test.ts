import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONFIG_FILE_VARIABLE, describeSettings, run } from '@cc-ci/core';
import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { buildProgram } from './program.js';
import { codeBlocks, commandProblem, commandsIn, type Page, ROOT, readPages } from './testing/docs.js';

const CC_CI = fileURLToPath(new URL('../bin/cc-ci.js', import.meta.url));
/** What runs give to tests and each other: no settings. */
const NO_SETTINGS = ['CC_CI_RUN', 'CC_CI_PROCESS', 'CC_CI_APP_FILE'];

describe('the pages for people', () => {
  let pages: Page[];
  before(async () => {
    pages = await readPages();
  });

  it('name commands that there are, with flags that they have', () => {
    const program = buildProgram();
    let seen = 0;
    for (const { name, text } of pages) {
      for (const words of commandsIn(text)) {
        expect(commandProblem(program, words), `${name}: cc-ci ${words.join(' ')}`).to.equal(undefined);
        seen += 1;
      }
    }
    expect(seen).to.be.greaterThan(60);
  });

  it('would be told apart from ones that name others', () => {
    const program = buildProgram();
    const problems = (text: string) => commandsIn(text).map((words) => commandProblem(program, words));
    expect(problems('Say `cc-ci docter`.')).to.deep.equal(['there is no cc-ci docter']);
    expect(problems('```sh\ncc-ci doctor --abrra   # why\n```')).to.deep.equal([
      'cc-ci doctor has no --abrra',
    ]);
    expect(problems('```sh\nx | npx cc-ci secrets init --values\n```')).to.deep.equal([
      '--values wants a value',
    ]);
    expect(problems('   ```sh\n   A=1 cc-ci teardown a b\n   ```')).to.deep.equal([
      'cc-ci teardown takes 1 words, not a b',
    ]);
    expect(
      problems('`cc-ci secrets init` and the user `cc-ci`, `cc-ci-bridge`; `cc-ci run\n. --plan`'),
    ).to.deep.equal([undefined, undefined]);
  });

  it('name settings that there are', () => {
    const known = [CONFIG_FILE_VARIABLE, ...NO_SETTINGS, ...describeSettings().map(({ env }) => env)];
    for (const { name, text } of pages)
      for (const [variable] of text.matchAll(/\bCC_CI_[A-Z_]*[A-Z]\b/g))
        expect(known, `${name}: ${variable}`).to.include(variable);
  });

  it('link to pages, files and headings that there are', () => {
    const anchors = new Map(pages.map(({ name, text }) => [name, headings(text)]));
    for (const { name, text } of pages) {
      const prose = text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
      for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path = '', anchor] = target.split('#', 2);
        const file = path === '' ? name : join(dirname(name), path);
        expect(existsSync(join(ROOT, file)), `${name} links to ${target}`).to.equal(true);
        if (anchor !== undefined) expect(anchors.get(file), `${name} links to ${target}`).to.include(anchor);
      }
    }
  });

  it('have shell that a shell can read', async () => {
    const blocks = pages.flatMap(({ name, text }) =>
      codeBlocks(text, 'sh').map((block) => ({ name, block })),
    );
    expect(blocks.length).to.be.greaterThan(20);
    for (const { name, block } of blocks) {
      // `<run>` stands for something.
      const input = block.replaceAll(/\.\.\.|…/g, 'x').replaceAll(/<([a-z/-]+)>/g, '$1');
      const { stderr } = await run('bash', ['-n'], { input, okCodes: [0, 1, 2] });
      expect(stderr, `${name}:\n${block}`).to.equal('');
    }
  });

  it('have commands that only look, and these do what is said', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'cc-ci-docs-'));
    try {
      const env = {
        PATH: process.env.PATH,
        HOME: dir,
        CC_CI_STATE_DIR: dir,
        CC_CI_HOST_DIR: join(dir, 'host'),
      };
      const looks: [words: string[], exitCodes: number[], said: RegExp][] = [
        [['config'], [0], /^CC_CI_ZONE +ci\./m],
        [['doctor'], [1], /^\? +host /m],
        [
          ['secrets', 'check'],
          [4],
          /there is no hosts\/cc-ci\/secrets\.yaml: make it with cc-ci secrets init/,
        ],
        // Without sops or a key names and recipients are seen all the same.
        [
          ['secrets', 'check', '--file', 'secrets/secrets.yaml'],
          [0, 2],
          /it has forge-token, .*report-token/,
        ],
      ];
      for (const [words, okCodes, said] of looks) {
        const { stdout } = await run(process.execPath, [CC_CI, ...words], {
          cwd: ROOT,
          env,
          okCodes,
          timeoutMs: 50_000,
        });
        expect(stdout, words.join(' ')).to.match(said);
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

/** As forges name headings. */
function headings(text: string): string[] {
  return [...text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
