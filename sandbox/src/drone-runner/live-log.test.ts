import { createLogger } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { openLiveLog } from './live-log.js';
import type { LogLine } from './protocol.js';

describe('the log of a step', () => {
  const quiet = createLogger('test', 'silent');

  function collect(options: { refuse?: boolean } = {}) {
    const batches: LogLine[][] = [];
    const uploads: LogLine[][] = [];
    const rpc = {
      async batch(_step: number, lines: readonly LogLine[]) {
        if (options.refuse) throw new Error('down');
        batches.push([...lines]);
      },
      async upload(_step: number, lines: readonly LogLine[]) {
        uploads.push([...lines]);
      },
    };
    return { rpc, batches, uploads };
  }

  it('goes out as it comes while it grows, and as a whole at the end', async () => {
    const { rpc, batches, uploads } = collect();
    const log = openLiveLog(rpc, 1, quiet, 5);
    log.write('one\ntwo\n');
    await until(() => batches.length === 1);
    expect(batches[0]?.map(({ pos, out }) => [pos, out])).to.deep.equal([
      [0, 'one\n'],
      [1, 'two\n'],
      [2, ''],
    ]);
    log.write('thr');
    log.write('ee\n');
    await log.close();
    const said = ['one\n', 'two\n', '', 'thr', 'ee\n'];
    expect(batches.flat().map(({ out }) => out)).to.deep.equal(said);
    expect(uploads).to.deep.equal([batches.flat()]);
  });

  it('is whole at the end even if nobody took it while it grew', async () => {
    const { rpc, uploads } = collect({ refuse: true });
    const log = openLiveLog(rpc, 1, quiet, 5);
    log.write('one\n');
    await log.close();
    expect(uploads[0]?.map(({ out }) => out)).to.deep.equal(['one\n']);
  });

  it('loses its beginning when it is longer than five mebibytes', async () => {
    const { rpc, uploads } = collect();
    const log = openLiveLog(rpc, 1, quiet);
    const line = `${'x'.repeat(1023)}\n`;
    for (let i = 0; i < 6 * 1024; i++) log.write(line);
    await log.close();
    expect(uploads[0]?.length).to.equal(5 * 1024);
    expect(uploads[0]?.[0]?.pos).to.equal(1024);
  });
});
