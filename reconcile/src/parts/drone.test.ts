import { expect } from 'chai';
import { describe, it } from 'mocha';
import { inspectRepository, type RepositoryFound } from './drone.js';

const HOST = { repository: 'coop/cc-ci', bot: 'bot', timeoutMinutes: 90 };
const KNOWN = {
  ...{ active: true, user_id: 3, timeout: 90, trusted: true, protected: false, config_path: '.drone.yml' },
  ...{ ignore_forks: true, ignore_pull_requests: true, visibility: 'private' },
};

describe('inspectRepository', () => {
  const inspect = (known: RepositoryFound['known'], mayAdminister = true) =>
    inspectRepository(HOST, { known, botId: 3, mayAdminister });
  const actions = (known: RepositoryFound['known']) => inspect(known).differences.map(({ action }) => action);

  it('finds nothing to do where all is right, also without the right to administer', () => {
    expect(actions(KNOWN)).to.deep.equal([]);
    expect(inspect(KNOWN, false)).to.deep.equal(inspect(KNOWN));
  });

  it('lets Drone look for a repository, activate it and set it', () => {
    const all = actions(undefined);
    expect(all.map(({ kind }) => kind)).to.deep.equal(['synchronise', 'activate', 'set']);
    expect(all[2]).to.have.nested.property('settings.timeout', 90);
    expect(inspect(undefined, false).obstacles[0]?.todo).to.equal(
      'make bot an administrator of that repository',
    );
    expect(inspect(undefined, false).differences).to.deep.equal([]);
  });

  it('builds in the name of the bot', () => {
    expect(actions({ ...KNOWN, user_id: 1 })).to.deep.equal([{ kind: 'own' }]);
    expect(actions({ ...KNOWN, user_id: 1, active: false })).to.deep.equal([{ kind: 'activate' }]);
  });

  it('sets each setting that is another, and no more', () => {
    expect(actions({ ...KNOWN, trusted: false, timeout: 600 })).to.deep.equal([
      { kind: 'set', settings: { timeout: 90 } },
      { kind: 'set', settings: { trusted: true } },
    ]);
  });
});
