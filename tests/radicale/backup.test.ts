import { app } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { getAsAdmin } from './calendar.js';
import { DIARY, expectDiary } from './diary.js';

describe('radicale after a restore', () => {
  it('holds the diary as it was', expectDiary);

  it('lets its owner in', async () => {
    expect((await getAsAdmin(DIARY)).status).to.equal(200);
  });

  it('has files that it may change', async () => {
    // The marker that cc-ci leaves in every volume is not Radicale's.
    const others = ['!', '-user', 'radicale', '!', '-name', '.cc-ci-marker'];
    const { stdout } = await app.exec('app', ['find', '/data/collections', ...others]);
    expect(stdout).to.equal('');
  });
});
