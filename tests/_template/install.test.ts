import { app, eventually, http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { describe, it } from 'mocha';

// Run against the freshly installed app. Tests only look: deploying, restarting and removing are cc-ci's.
describe('the installed app', () => {
  it('serves its landing page', async () => {
    const page = await http.get('/');
    expect(page.status).to.equal(200);
    expect(page.headers['content-type']).to.match(/^text\/html/);
  });

  it('runs its program as a service of the stack', async () => {
    const services = await app.services();
    expect(services.map(({ name }) => name)).to.include('app');
    const { stdout } = await app.exec('app', ['cat', '/proc/1/comm']);
    expect(stdout.trim()).to.equal('nginx');
  });

  it('logs what it is asked for', async () => {
    await http.get('/no-such-page');
    // The log is written a moment later: try again instead of sleeping.
    await eventually(async () => expect(await app.logs('app')).to.include('/no-such-page'));
  });
});
