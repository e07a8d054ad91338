import { describe, it } from 'mocha';
import { expectPage } from './page.js';

// Run after a backup of what `seed` had put in was restored over what `mutate` has made of it.
describe('the restored app', () => {
  it('serves what was put in before the backup', expectPage);
});
