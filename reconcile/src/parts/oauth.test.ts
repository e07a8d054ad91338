import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Application } from '../remote/gitea.js';
import { clientIn, inspectOAuth, type OAuthFound } from './oauth.js';

const HOST = {
  clientFile: '/host/drone-oauth.env',
  droneUrl: 'https://drone.example.org',
  unit: 'drone.service',
};
const APPLICATION: Application = {
  id: 7,
  name: 'Drone at drone.example.org',
  clientId: 'client',
  redirectUris: ['https://drone.example.org/login'],
  confidential: true,
  skipsConsent: false,
};
const FILE = { text: 'DRONE_GITEA_CLIENT_ID=client\nDRONE_GITEA_CLIENT_SECRET=secret\n', open: false };
const RIGHT: OAuthFound = {
  applications: [APPLICATION],
  file: FILE,
  taken: true,
  stale: false,
  running: true,
};

describe('inspectOAuth', () => {
  const inspect = (found: Partial<OAuthFound>) => inspectOAuth(HOST, { ...RIGHT, ...found });
  const actions = (found: Partial<OAuthFound>) => inspect(found).differences.map(({ action }) => action);
  const write = (application: object) => ({
    kind: 'write',
    application: { redirectUri: 'https://drone.example.org/login', skipsConsent: false, ...application },
  });
  const restart = { kind: 'restart', unit: 'drone.service' };

  it('finds nothing to do where all is right', () => {
    expect(actions({})).to.deep.equal([]);
    expect(inspect({}).notes).to.have.length(1);
  });

  it('makes an application only where there is none of its id, its address or its name', () => {
    const made = [write({ name: APPLICATION.name }), restart];
    expect(actions({ applications: [], taken: false })).to.deep.equal(made);
    const other = {
      ...APPLICATION,
      id: 1,
      name: 'other',
      clientId: 'other',
      redirectUris: ['https://x.org'],
    };
    expect(actions({ applications: [other], taken: false })).to.deep.equal(made);
    const adopted = [write({ id: 7, name: APPLICATION.name }), restart];
    const lost = { file: undefined, taken: false };
    expect(actions({ ...lost, applications: [other, APPLICATION] })).to.deep.equal(adopted);
    const moved = { ...APPLICATION, redirectUris: ['https://drone.old.org/login'] };
    expect(actions({ ...lost, applications: [other, moved] })).to.deep.equal(adopted);
    const renamed = { ...APPLICATION, name: 'mine' };
    expect(actions({ ...lost, applications: [other, renamed] })).to.deep.equal([
      write({ id: 7, name: 'mine' }),
      restart,
    ]);
  });

  it('prefers the one whose client is in the file', () => {
    const twin = { ...APPLICATION, id: 1, clientId: 'twin' };
    expect(actions({ applications: [twin, APPLICATION] })).to.deep.equal([]);
  });

  it('keeps what it need not change', () => {
    const open = { ...APPLICATION, name: 'mine', confidential: false, skipsConsent: true };
    expect(actions({ applications: [open] })[0]).to.deep.equal(
      write({ id: 7, name: 'mine', skipsConsent: true }),
    );
    expect(inspect({ applications: [open] }).differences[0]?.found).to.equal(
      'OAuth application "mine": asks for no secret',
    );
  });

  it('restarts what runs with an older client, and nothing else', () => {
    expect(actions({ stale: true })).to.deep.equal([restart]);
    expect(actions({ taken: false })).to.deep.equal([write({ id: 7, name: APPLICATION.name }), restart]);
    expect(actions({ taken: false, running: false })).to.deep.equal([
      write({ id: 7, name: APPLICATION.name }),
    ]);
    expect(actions({ file: { ...FILE, open: true } })).to.deep.equal([{ kind: 'close' }]);
  });

  it('takes a file for a client only when it has both', () => {
    expect(clientIn(FILE.text)).to.deep.equal({ id: 'client', secret: 'secret' });
    for (const text of [
      '',
      'DRONE_GITEA_CLIENT_ID=client\n',
      'DRONE_GITEA_CLIENT_ID=\nDRONE_GITEA_CLIENT_SECRET=x\n',
    ])
      expect(clientIn(text)).to.equal(undefined);
  });
});
