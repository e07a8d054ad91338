import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CancelledError,
  connectDocker,
  type Docker,
  disconnectDocker,
  imageExists,
  newRunId,
  removeImage,
  run,
} from '@cc-ci/core';
import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { StageFailure } from './failure.js';
import { type PullOptions, pullImages } from './images.js';
import { type Answer, type FakeRegistry, refuse, startFakeRegistry } from './testing/fake-registry.js';

const LOGIN = { user: 'robot', password: 'open:sesame/+' };

describe('pulling images', () => {
  let docker: Docker;
  let registry: FakeRegistry;
  let locked: FakeRegistry;
  let folder: string;
  let gate: ReturnType<typeof barrier>;
  const lines: string[] = [];
  const pulled = new Set<string>();
  const { DOCKER_CONFIG } = process.env;

  const answers: Record<string, Answer> = {
    limited: (response) => refuse(response, 429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit.'),
    missing: (response) => refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown'),
    broken: (response) => refuse(response, 500, 'UNKNOWN', 'unknown error'),
    silent: () => undefined,
    shaky: (response, give) => {
      if (!lines.some((line) => line.endsWith('once more')))
        refuse(response, 503, 'UNAVAILABLE', 'try again');
      else give();
    },
    ...Object.fromEntries(
      Array.from({ length: 6 }, (_, index): [string, Answer] => [
        `many/${index}`,
        async (response) => {
          await gate.pass();
          refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
        },
      ]),
    ),
  };

  before(async () => {
    docker = connectDocker();
    registry = await startFakeRegistry(newRunId(), answers);
    locked = await startFakeRegistry(newRunId(), {}, LOGIN);
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-images-'));
    process.env.DOCKER_CONFIG = folder;
  });
  after(async () => {
    if (DOCKER_CONFIG === undefined) delete process.env.DOCKER_CONFIG;
    else process.env.DOCKER_CONFIG = DOCKER_CONFIG;
    await rm(folder, { recursive: true });
    await registry.close();
    await locked.close();
    await disconnectDocker(docker);
  });
  beforeEach(() => {
    lines.length = 0;
    registry.asked.length = 0;
  });
  afterEach(async () => {
    for (const image of pulled) await removeImage(docker, image);
    pulled.clear();
    await rm(join(folder, 'config.json'), { force: true });
  });

  const pull = async (images: readonly string[], change: Partial<PullOptions> = {}) => {
    const names = images.map((image) =>
      image.startsWith(locked.host) ? image : `${registry.host}/${image}`,
    );
    for (const name of names) pulled.add(name);
    const signal = new AbortController().signal;
    await pullImages(docker, names, {
      signal,
      timeoutMs: 30_000,
      log: (line) => lines.push(line),
      ...change,
    });
    return names;
  };
  const refusal = async (images: readonly string[], change: Partial<PullOptions> = {}) => {
    const error = await pull(images, change).then(
      () => expect.fail('it did not fail'),
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(StageFailure);
    return error as StageFailure;
  };
  const logIn = (password: string) =>
    writeFile(
      join(folder, 'config.json'),
      JSON.stringify({
        auths: {
          [locked.host]: { auth: Buffer.from(`${LOGIN.user}:${password}`).toString('base64') },
        },
      }),
    );

  it('brings what is missing, and uses what is there', async () => {
    const [name = ''] = await pull(['tiny:1']);
    const { stdout } = await run('docker', ['image', 'inspect', '--format', '{{.Config.Cmd}}', name]);
    expect(stdout.trim()).to.equal('[/hello.txt]');
    expect(lines[0]).to.equal(`pulling ${name}`);
    expect(lines.at(-1)).to.match(new RegExp(`^pulled ${name} in \\d+\\.\\d s$`));
    expect(lines).to.have.length(2);
    const askedOnce = registry.asked.length;
    await pull(['tiny:1', 'tiny:1']);
    expect(registry.asked).to.have.length(askedOnce);
    expect(lines).to.have.length(2);
  });

  it('takes latest where no tag is given, only that, and an exact digest where one is', async () => {
    const [latest = ''] = await pull(['team/tiny']);
    expect(await imageExists(docker, `${latest}:latest`)).to.equal(true);
    const tags = registry.asked.filter((path) => !path.includes('sha256:'));
    expect([...new Set(tags)]).to.deep.equal(['team/tiny/manifests/latest']);
    const { stdout } = await run('docker', [
      'image',
      'inspect',
      '--format',
      '{{index .RepoDigests 0}}',
      latest,
    ]);
    const digest = stdout.trim().split('@')[1] ?? '';
    const [exact = ''] = await pull([`other/tiny:1@${digest}`]);
    expect(await imageExists(docker, exact)).to.equal(true);
    expect(registry.asked.at(-1)).to.equal(`other/tiny/manifests/${digest}`);
  });

  it("does not blame the recipe for a registry's rate limit", async () => {
    const failure = await refusal(['limited:1']);
    expect(failure.blame).to.equal('ci');
    expect(failure.message).to.include("the registry's rate limit, not the recipe");
    expect(failure.evidence.join()).to.match(/toomanyrequests/i);
    expect(lines.filter((line) => line.includes('once more'))).to.deep.equal([]);
  });

  it('blames the recipe for an image that is not there, or not for everybody', async () => {
    const missing = await refusal(['missing:1']);
    expect(missing.blame).to.equal('recipe');
    expect(missing.message).to.include(`${registry.host}/missing:1 does not exist`);
    const hidden = await refusal([`${locked.host}/tiny:1`]);
    expect(hidden.blame).to.equal('recipe');
    expect(hidden.message).to.include('does not give it to everybody');
  });

  it('blames the recipe for what is no image name at all', async () => {
    const failure = await pullImages(docker, ['Not/An Image'], {
      signal: new AbortController().signal,
      timeoutMs: 5_000,
      log: () => undefined,
    }).catch((error) => error);
    expect(failure).to.be.instanceOf(StageFailure);
    expect(failure.message).to.equal('"Not/An Image" is not the name of an image');
  });

  it('names all that failed, the recipe’s fault first, and brings the others', async () => {
    const failure = await refusal(['limited:1', 'tiny:1', 'missing:1']);
    expect(failure.blame).to.equal('recipe');
    expect(failure.evidence).to.have.length(2);
    expect(await imageExists(docker, `${registry.host}/tiny:1`)).to.equal(true);
  });

  it('tries once more when the registry stumbles', async () => {
    const [name = ''] = await pull(['shaky:1']);
    expect(await imageExists(docker, name)).to.equal(true);
    expect(lines.some((line) => line.endsWith('once more'))).to.equal(true);
  });

  it('gives up on one that stays broken, without blaming the recipe', async () => {
    const failure = await refusal(['broken:1']);
    expect(failure.blame).to.equal('ci');
    expect(failure.message).to.include('does not answer as it should');
    expect(lines.filter((line) => line.endsWith('once more'))).to.have.length(1);
  });

  it('gives up on one that is not there, without trying again when there is no time for it', async () => {
    const closed = await startFakeRegistry('x');
    await closed.close();
    const failure = await pullImages(docker, [`${closed.host}/tiny:1`], {
      signal: new AbortController().signal,
      timeoutMs: 2_000,
      log: (line) => lines.push(line),
    }).catch((error) => error);
    expect(failure).to.be.instanceOf(StageFailure);
    expect(failure.blame).to.equal('ci');
    expect(failure.evidence.join()).to.include('connection refused');
    expect(lines).to.deep.equal([`pulling ${closed.host}/tiny:1`]);
  });

  it('does not wait for ever for one that never answers', async () => {
    const stalled = await refusal(['silent:1'], { stallMs: 500 });
    expect(stalled.blame).to.equal('ci');
    expect(stalled.evidence.join()).to.include('not a word for 0.5 s');
    expect(lines.filter((line) => line.endsWith('once more'))).to.have.length(1);
    const late = await refusal(['silent:1'], { timeoutMs: 1_000 });
    expect(late.blame).to.equal('ci');
    expect(late.message).to.match(/silent:1 could not be pulled within 1 s$/);
  });

  it('stops when the run is cancelled, and says for what', async () => {
    const cancelled = new AbortController();
    const reason = new CancelledError('somebody stopped it');
    const pulling = pull(['silent:1', 'silent:2'], {
      signal: cancelled.signal,
      log: () => cancelled.abort(reason),
    });
    expect(await pulling.catch((error) => error)).to.equal(reason);
  });

  it('logs in where docker login was done, and never shows with what', async () => {
    await logIn(LOGIN.password);
    const [name = ''] = await pull([`${locked.host}/tiny:1`]);
    expect(await imageExists(docker, name)).to.equal(true);
    expect(lines[0]).to.equal(`pulling ${name}, logged in to ${locked.host}`);
    await removeImage(docker, name);
    await logIn('wrong');
    const failure = await refusal([`${locked.host}/tiny:1`]);
    expect(failure.blame).to.equal('ci');
    expect(failure.message).to.include("does not accept this host's login");
    expect([...lines, ...failure.evidence, failure.message].join()).to.not.match(/sesame|wrong|cm9ib3/);
  });

  it('pulls three at once, not more', async () => {
    gate = barrier(3);
    const images = Array.from({ length: 6 }, (_, index) => `many/${index}:1`);
    const failure = await refusal(images);
    expect(failure.evidence).to.have.length(6);
    expect(gate.most()).to.equal(3);
  });
});

/** Lets nobody pass until `size` are waiting. */
function barrier(size: number) {
  let waiting: (() => void)[] = [];
  let inside = 0;
  let most = 0;
  return {
    most: () => most,
    async pass() {
      most = Math.max(most, ++inside);
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length < size) return;
        for (const go of waiting) go();
        waiting = [];
      });
      inside--;
    },
  };
}
