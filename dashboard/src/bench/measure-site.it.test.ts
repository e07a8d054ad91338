import { expect } from 'chai';
import { describe, it } from 'mocha';
import { measureSite } from './measure-site.js';

describe('the measures of the dashboard', () => {
  it('are taken of a site that is whole, with readers who get every line', async () => {
    const scale = { recipes: 5, runs: 600, more: 2, logBytes: 3_000_000, readers: 20, lines: 5 };
    const { build, longLog, readers, firstPaint } = await measureSite(scale, () => undefined);
    expect(build.full).to.include({ runs: 600, recipes: 5 }).and.to.deep.include({ problems: [] });
    expect(build.full.written, 'pages, reports and badges').to.be.greaterThan(600 * 5);
    expect(build.incremental).to.have.length(2);
    expect(build.memoryMb.all).to.be.greaterThan(40).and.not.below(build.memoryMb.full);
    expect(build.overview.page).to.be.greaterThan(1_000);
    expect(longLog.bytes)
      .to.be.greaterThan(5_000)
      .and.below(scale.logBytes / 10);
    expect(readers.latencyMs.p50).to.be.greaterThan(0).and.not.above(readers.latencyMs.p99);
    expect(readers.slowReaderBehind).to.be.greaterThan(1_000);
    expect(Object.keys(firstPaint)).to.have.length(4);
    for (const times of Object.values(firstPaint)) expect(Math.min(...times)).to.be.greaterThan(0);
  }).timeout(180_000);
});
