import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ToolMissingError } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { findChromium } from './browser.js';

describe('finding Chromium', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-chromium-'));
    await writeFile(join(dir, 'google-chrome'), '#!/bin/sh\n');
    await chmod(join(dir, 'google-chrome'), 0o755);
    await writeFile(join(dir, 'chromium'), 'not a program');
  });
  after(() => rm(dir, { recursive: true }));

  it('takes the configured one, by path or by name', async () => {
    const chrome = join(dir, 'google-chrome');
    expect(await findChromium(chrome, '')).to.equal(chrome);
    expect(await findChromium('google-chrome', `/nowhere:${dir}`)).to.equal(chrome);
  });

  it('passes over what cannot be run', async () => {
    expect(await findChromium(undefined, dir)).to.equal(join(dir, 'google-chrome'));
  });

  it('says what it looked for and how to get it', async () => {
    const error = await findChromium('/nowhere/chromium').then(
      () => expect.fail('it was found'),
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(ToolMissingError);
    expect((error as ToolMissingError).hint)
      .to.include('apt-get install chromium')
      .and.include('CC_CI_CHROMIUM');
  });
});
