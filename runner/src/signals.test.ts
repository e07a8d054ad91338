import type { Blame } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { blameFor, signalIn, signalOf } from './signals.js';

/** Texts as Docker, Swarm, registries, git and abra write them. */
const TEXTS: [Blame, RegExp, string[]][] = [
  [
    'ci',
    /limits how often/,
    [
      'Error response from daemon: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit',
      'Error response from daemon: toomanyrequests: Rate exceeded',
      'failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/rust/manifests/sha256:de6e: 429 Too Many Requests',
    ],
  ],
  [
    'ci',
    /disk of this host is full/,
    [
      'failed to register layer: write /usr/lib/x.so: no space left on device',
      'mkdir /var/lib/docker/overlay2/x: no space left on device',
      "Error: ENOSPC: no space left on device, mkdir '/srv/x'",
    ],
  ],
  [
    'ci',
    /engine does not answer/,
    ['Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?'],
  ],
  ['ci', /in host mode is taken/, ['no suitable node (host-mode port already in use on 1 node)']],
  [
    'ci',
    /port that the recipe publishes is taken/,
    [
      'driver failed programming external connectivity on endpoint web (df68): Bind for 0.0.0.0:80 failed: port is already allocated',
      "rpc error: code = InvalidArgument desc = port '8080' is already in use by service 'a_web' (k2j) as an ingress port",
    ],
  ],
  [
    'ci',
    /finds no node/,
    [
      'no suitable node (insufficient resources on 1 node)',
      'no suitable node (scheduling constraints not satisfied on 1 node)',
    ],
  ],
  [
    'ci',
    /cannot reach/,
    [
      'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.53:53: no such host',
      'Error response from daemon: Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
      'Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout',
      'Get "https://auth.docker.io/token": dial tcp: lookup auth.docker.io on 1.1.1.1:53: server misbehaving',
      'Get "https://quay.io/v2/": read tcp 10.0.0.2:4000->1.2.3.4:443: i/o timeout',
      'Error: getaddrinfo EAI_AGAIN registry.example.org',
      'Get "https://quay.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    ],
  ],
  [
    'recipe',
    /path of the host/,
    ['invalid mount config for type "bind": bind source path does not exist: /etc/timezone'],
  ],
  [
    'recipe',
    /image of the recipe does not exist/,
    [
      'Error response from daemon: manifest for nginx:9.99 not found: manifest unknown: manifest unknown',
      "Error response from daemon: pull access denied for nobody/nothing, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      'failed to resolve reference "docker.io/library/nginx:9.99": docker.io/library/nginx:9.99: not found',
    ],
  ],
  [
    'recipe',
    /name of an image is malformed/,
    ['invalid reference format', 'invalid reference format: repository name must be lowercase'],
  ],
  [
    'forge',
    /forge/,
    [
      "fatal: unable to access 'https://nosuch.invalid/x/': Could not resolve host: nosuch.invalid",
      "fatal: unable to access 'http://127.0.0.1:1/x/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
      "Cloning into 'x'...\nremote: Not found.\nfatal: repository 'https://git.example.org/a/b.git/' not found",
      "fatal: repository '/srv/x' does not exist",
      "fatal: Authentication failed for 'https://git.example.org/a/b.git/'",
      "fatal: could not read Username for 'https://git.example.org': terminal prompts disabled",
      'FATA <recipe/compose.go:112> unable to git pull: authentication required: Unauthorized',
    ],
  ],
];

describe('whose fault a text shows', () => {
  for (const [blame, why, texts] of TEXTS) {
    it(`is ${blame}: ${why.source}`, () => {
      for (const text of texts) {
        const signal = signalOf(`INFO deploying\n${text}\n`);
        expect(signal?.blame, text).to.equal(blame);
        expect(signal?.why, text).to.match(why);
      }
    });
  }

  it('is nobody’s where the text shows nothing of the kind', () => {
    const texts = [
      '',
      'No such image: nginx:9.99',
      'task: non-zero exit (1)',
      'FATA secret not generated: db_password',
      'app container 429b1f failed its health check',
      'config x_conf_v1 not found',
      'unauthorized: authentication required',
      'starting container failed: exec: "/docker-entrypoint.sh": permission denied',
      'ERROR: relation "users" not found',
    ];
    for (const text of texts) expect(signalOf(text), text).to.equal(undefined);
  });
});

describe('whose fault the evidence shows', () => {
  const task = (error: string) => `task k2j3h4g5 rejected: ${error}`;
  const limit =
    'toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating';

  it('is ours for a rate limit that Swarm shows as an image that is not there, in whatever order', () => {
    const lines = [task('No such image: nginx:1.27'), limit];
    expect(blameFor(lines, 'recipe')).to.equal('ci');
    expect(blameFor([...lines].reverse(), 'recipe')).to.equal('ci');
    expect(blameFor([task(`No such image: nginx:1.27; ${limit}`)], 'recipe')).to.equal('ci');
    expect(
      blameFor([task('No such image: nginx:1.27'), `Error response from daemon: ${limit}`], 'recipe'),
    ).to.equal('ci');
    expect(signalIn(['manifest unknown: manifest unknown', limit])?.why).to.match(/limits how often/);
  });

  it('is the fallback where it shows nothing', () => {
    const lines = [task('No such image: nginx:9.99')];
    expect(blameFor(lines, 'recipe')).to.equal('recipe');
    expect(blameFor([], 'tests')).to.equal('tests');
    expect(signalIn(lines)).to.equal(undefined);
  });

  it('is not what an app says in its own log', () => {
    const died = task('task: non-zero exit (1)');
    const logs = [
      'dial tcp 10.0.1.5:5432: connect: connection refused',
      'Error: getaddrinfo EAI_AGAIN db',
      'upstream: 429 Too Many Requests (rate limit)',
      'fatal: Authentication failed for user postgres',
      'read tcp: i/o timeout',
      'manifest unknown',
    ];
    for (const log of logs) expect(blameFor([died, log], 'recipe'), log).to.equal('recipe');
    expect(blameFor([died, ...logs, 'PANIC: could not write: No space left on device'], 'recipe')).to.equal(
      'ci',
    );
  });

  it('is what the task itself says, whatever the app said', () => {
    const lines = [
      task('invalid mount config for type "bind": bind source path does not exist: /x'),
      'i/o timeout',
    ];
    expect(blameFor(lines, 'ci')).to.equal('recipe');
  });
});
