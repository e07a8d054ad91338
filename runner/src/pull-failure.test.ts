import { expect } from 'chai';
import { describe, it } from 'mocha';
import { pullFailure } from './pull-failure.js';

describe('why a pull failed', () => {
  const blameOf = (reason: string, loggedIn = false, image = 'team/app:1') => {
    const { failure, transient } = pullFailure(image, reason, loggedIn);
    expect(failure.evidence).to.deep.equal([`${image}: ${reason}`]);
    expect(failure.message).to.include(image);
    return `${failure.blame}${transient ? ', again' : ''}`;
  };

  // What engines 20.10 to 28 and the registries of Docker, GitHub, Quay and Gitea say.
  const table: Record<string, readonly string[]> = {
    ci: [
      'toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating',
      'error pulling image configuration: toomanyrequests: retry-after: 1.2ms, allowed: 44000/minute',
      'received unexpected HTTP status: 429 Too Many Requests',
      'error parsing HTTP 429 response body: invalid character',
      'failed to register layer: write /usr/lib/x: no space left on device',
      'something nobody has foreseen',
    ],
    'ci, again': [
      'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
      'Get "https://ghcr.io/v2/": dial tcp 1.2.3.4:443: connect: connection refused',
      'Get "https://ghcr.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
      'Get "https://quay.io/v2/": net/http: TLS handshake timeout',
      'Get "https://quay.io/v2/": context deadline exceeded',
      'Get "https://quay.io/v2/": x509: certificate has expired or is not yet valid',
      'received unexpected HTTP status: 502 Bad Gateway',
      'unexpected EOF',
      'read tcp 10.0.0.1:4->1.2.3.4:443: read: connection reset by peer',
    ],
    recipe: [
      'manifest for team/app:1 not found: manifest unknown: manifest unknown',
      'manifest unknown',
      "pull access denied for team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      'unauthorized: authentication required',
      'denied',
      'no matching manifest for linux/amd64 in the manifest list entries',
      'error parsing HTTP 404 response body: invalid character',
      'Error response from daemon: name unknown: The repository with name team/app does not exist in the registry',
    ],
  };
  for (const [expected, reasons] of Object.entries(table)) {
    for (const reason of reasons) {
      it(`${expected}: ${reason.slice(0, 80)}`, () => expect(blameOf(reason)).to.equal(expected));
    }
  }

  it('is our login where one was sent and refused', () => {
    expect(blameOf('unauthorized: incorrect username or password', true)).to.equal('ci');
    expect(blameOf('denied: requested access to the resource is denied', true)).to.equal('recipe');
  });

  it("goes by the registry's words, not by what the image is called", () => {
    expect(blameOf('manifest for x/ratelimit:1 not found', false, 'x/ratelimit:1')).to.equal('recipe');
    expect(blameOf('manifest for x/app:429 not found', false, 'x/app:429')).to.equal('recipe');
    expect(blameOf('toomanyrequests: slow down, x/denied', false, 'x/denied:1')).to.equal('ci');
  });
});
