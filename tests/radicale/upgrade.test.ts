import { http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { getAsAdmin, listEvents, signedIn } from './calendar.js';
import { DIARY, expectDiary } from './diary.js';

describe('radicale after an upgrade', () => {
  it('still holds the diary', expectDiary);

  it('still shows it to its owner only', async () => {
    expect((await getAsAdmin(DIARY)).status).to.equal(200);
    expect((await http.get(DIARY)).status).to.equal(401);
    const wrong = await http.get(DIARY, { headers: signedIn('not-the-password') });
    expect(wrong.status).to.equal(401);
  });

  it('lists nothing that nobody made', async () => {
    expect(await listEvents('/admin/')).to.deep.equal([DIARY.slice('/admin/'.length)]);
  });
});
