import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { linesHtml } from './log-html.js';
import { createTailReader } from './log-tail.js';
import { logView } from './log-view.js';
import { temporaryFolder } from './testing/fixtures.js';

describe('the end of a log', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let path: string;
  beforeEach(() => {
    folder = temporaryFolder('log');
    path = join(folder.path, 'install.log');
  });
  afterEach(() => folder.remove());

  const numbered = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');

  it('is all of a short one, with its last line even if unfinished', async () => {
    const reader = createTailReader();
    expect(await reader.read(path)).to.equal(undefined);
    await writeFile(path, '');
    expect(await reader.read(path)).to.deep.equal({ firstLine: 1, lines: [], bytes: 0 });
    await writeFile(path, 'one\n\nthree');
    expect(await reader.read(path)).to.deep.equal({ firstLine: 1, lines: ['one', '', 'three'], bytes: 10 });
  });

  it('is the last lines of a long one, under their own numbers', async () => {
    await writeFile(path, numbered(1, 100_000));
    const tail = await createTailReader({ lines: 3, bytes: 1_000, width: 100 }).read(path);
    expect(tail).to.include({ firstLine: 99_998 });
    expect(tail?.lines).to.deep.equal(['line 99998', 'line 99999', 'line 100000']);
  });

  it('goes on where it stopped when the log grows, and starts again when it is replaced', async () => {
    const reader = createTailReader({ lines: 2, bytes: 1_000, width: 100 });
    let written = 0;
    for (const upTo of [1, 2, 7, 500]) {
      await appendFile(path, numbered(written + 1, upTo));
      written = upTo;
      const tail = await reader.read(path);
      expect(tail?.firstLine).to.equal(Math.max(1, upTo - 1));
      expect(tail?.lines.at(-1)).to.equal(`line ${upTo}`);
    }
    await writeFile(`${path}.new`, 'other\n');
    await rename(`${path}.new`, path);
    expect(await reader.read(path)).to.deep.equal({ firstLine: 1, lines: ['other'], bytes: 6 });
  });

  it('never holds more than it may, however long a line is', async () => {
    const reader = createTailReader({ lines: 10, bytes: 50, width: 20 });
    await writeFile(path, `${'x'.repeat(1_000_000)}\nshort\n`);
    expect(await reader.read(path)).to.deep.include({ firstLine: 2, lines: ['short'] });
    await writeFile(path, 'y'.repeat(1_000));
    expect((await reader.read(path))?.lines).to.deep.equal([`${'y'.repeat(20)} … (30 more characters)`]);
  });

  it('becomes numbered lines with their times', () => {
    const view = logView(
      {
        firstLine: 12,
        lines: ['2026-11-21T08:00:01.123Z \u001b[31mred\u001b[0m', '  continued'],
        bytes: 3_000,
      },
      'prepare',
      { raw: '/raw', page: (number) => `/page/${number}` },
    );
    expect(view).to.deep.equal({
      href: '/raw',
      earlier: '/page/1',
      lastLine: 13,
      size: 'the last 2 of 13 lines, 3.0 kB',
      lines: ['2026-11-21T08:00:01.123Z \u001b[31mred\u001b[0m', '  continued'],
      firstLine: 12,
      prefix: 'prepare-',
    });
    expect(linesHtml(view).split('\n')).to.deep.equal([
      '<div id="prepare-L12"><a href="#prepare-L12">12</a><time>08:00:01</time><span><i class="ansi-red">red</i></span></div>',
      '<div id="prepare-L13"><a href="#prepare-L13">13</a>  continued</div>',
      '',
    ]);
  });
});
