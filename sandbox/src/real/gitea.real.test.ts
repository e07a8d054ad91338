import { expect } from 'chai';
import { describe, it } from 'mocha';
import { z } from 'zod';
import { callForge, createOrganisation } from '../provision/index.js';
import { startGitea } from './gitea.js';

describe('a real Gitea', () => {
  it('keeps what was provisioned over a restart, and forgets it when it is disposed of', async () => {
    const gitea = await startGitea({ issueIndexer: 'db' });
    try {
      const version = z.object({ version: z.string() });
      const told = await callForge(gitea.url, gitea.admin, 'GET', '/version', undefined, version);
      expect(told.version).to.equal(gitea.version);
      const org = await createOrganisation(gitea.url, gitea.admin, 'coop');
      await gitea.restart();
      const member = `/orgs/coop/members/${org.member.login}`;
      await callForge(gitea.url, { token: org.bot.token }, 'GET', member);
    } finally {
      await gitea.dispose();
    }
    const gone = await callForge(gitea.url, gitea.admin, 'GET', '/version').catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect(gone).to.equal('ECONNREFUSED');
  });
});
