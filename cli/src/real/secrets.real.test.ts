import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type RunResult, run } from '@cc-ci/core';
import { DEVELOPMENT_RECIPIENT, readEncrypted, secretsOf } from '@cc-ci/reconcile/secrets';
import { ensurePart } from '@cc-ci/sandbox/real';
import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { parse } from 'yaml';

const CC_CI = fileURLToPath(new URL('../../bin/cc-ci.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const DEVELOPMENT_KEY = join(ROOT, 'reconcile/src/testing/development.agekey');
const AGE = { missingHint: 'apt-get install age, or run ./setup --tests', timeoutMs: 30_000 };
/** So many are killed at random moments; more by hand. */
const KILLS = Number(process.env.SECRETS_KILLS ?? 6);

const TOKEN = 'f0e1d2c3b4a5968778695a4b3c2d1e0f01234567';
const PASSWORD = 'correct horse, battery "staple" #1';
const GIVEN = JSON.stringify({ 'forge-token': TOKEN, 'forge-password': PASSWORD });
const FILE = 'hosts/a/secrets.yaml';

/** With the real sops and the real age. */
describe('cc-ci secrets', () => {
  let sops: string;
  let dir: string;
  let keys: Record<'operator' | 'host' | 'runner', { file: string; recipient: string }>;
  before(async function () {
    this.timeout(30 * 60_000);
    ({ executable: sops } = await ensurePart('sops'));
  });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-secrets-'));
    for (const folder of ['tmp', 'keys', 'repository/hosts/a', 'repository/hosts/r'])
      await mkdir(join(dir, folder), { recursive: true });
    keys = { operator: await newKey('operator'), host: await newKey('host'), runner: await newKey('runner') };
    await rules({ a: ['operator', 'host'], r: ['operator', 'runner'] });
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function newKey(name: string) {
    const file = join(dir, 'keys', name);
    await run('age-keygen', ['-o', file], AGE);
    return { file, recipient: (await run('age-keygen', ['-y', file], AGE)).stdout.trim() };
  }

  async function rules(who: Record<string, (keyof typeof keys)[]>, more: string[] = []): Promise<void> {
    const creation_rules = Object.entries(who).map(([host, names]) => ({
      path_regex: `^hosts/${host}/secrets\\.yaml$`,
      age: [...names.map((name) => keys[name].recipient), ...more],
    }));
    await writeFile(join(dir, 'repository', '.sops.yaml'), JSON.stringify({ creation_rules }));
  }

  const environment = (key: keyof typeof keys = 'operator') => ({
    PATH: `${dirname(sops)}:${process.env.PATH}`,
    HOME: join(dir, 'keys'),
    TMPDIR: join(dir, 'tmp'),
    SOPS_AGE_KEY_FILE: keys[key].file,
  });
  const options = (env: NodeJS.ProcessEnv, input = '') => ({
    cwd: join(dir, 'repository'),
    env,
    input,
    okCodes: [0, 2, 4],
    timeoutMs: 60_000,
  });
  /** `cc-ci secrets …` for host a. What it prints is held to have no value in it, and the disk, too. */
  async function secrets(
    words: string[],
    { input = '', env = environment(), host = 'a' } = {},
  ): Promise<RunResult> {
    const before = await anyValues();
    const result = await run(
      process.execPath,
      [CC_CI, 'secrets', ...words, '--host', host],
      options(env, input),
    );
    const values = [TOKEN, PASSWORD, ...before, ...(await anyValues())];
    for (const value of values) expect(`${result.stdout}${result.stderr}`).not.to.include(value);
    await nothingInClear(values);
    return result;
  }
  const init = async () =>
    expect((await secrets(['init', '--values', '-'], { input: GIVEN })).exitCode).to.equal(0);

  const file = () => readFile(join(dir, 'repository', FILE), 'utf8');
  async function values(key: keyof typeof keys = 'operator', of = FILE): Promise<Record<string, string>> {
    const words = ['decrypt', '--output-type', 'json', of];
    const { stdout } = await run(sops, words, { ...options(environment(key)), okCodes: [0] });
    return JSON.parse(stdout);
  }
  const anyValues = async () => Object.values(await values().catch(() => ({})));

  async function nothingInClear(secret: string[]): Promise<void> {
    for (const name of await readdir(dir, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      const found = await readFile(join(name.parentPath, name.name));
      for (const value of secret)
        expect(found.includes(value), `${name.name} has a value in clear`).to.equal(false);
    }
  }

  it('invents nothing that a person must give: says what it is and how to come by it, and writes nothing', async () => {
    const { exitCode, stderr } = await secrets(['init']);
    expect(exitCode).to.equal(4);
    expect(stderr)
      .to.match(/forge-token: .*Generate New Token/)
      .and.match(/forge-password/);
    expect(stderr).not.to.match(/hook-secret|drone-rpc/);
    expect(
      (await secrets(['init', '--values', '-'], { input: JSON.stringify({ 'forge-token': TOKEN }) })).stderr,
    )
      .to.match(/forge-password/)
      .and.not.match(/forge-token/);
    expect(await readdir(join(dir, 'repository', 'hosts', 'a'))).to.deep.equal([]);
  });

  it('makes the file for each whom the rules name, and nobody else; again it changes nothing', async () => {
    await init();
    const made = await values('host');
    expect(Object.keys(made).sort()).to.deep.equal(
      secretsOf('server')
        .map(({ name }) => name)
        .sort(),
    );
    expect(made).to.deep.include({ 'forge-token': TOKEN, 'forge-password': PASSWORD });
    expect(made['hook-secret'])
      .to.match(/^[0-9a-f]{64}$/)
      .and.not.equal(made['drone-rpc-secret']);
    expect(await values('runner').catch((error: Error) => error.message)).to.match(/failed/);
    expect((await secrets(['check'])).exitCode).to.equal(0);

    const before = await file();
    const again = await secrets(['init']);
    expect(again.stdout).to.match(/all there/);
    expect(await file()).to.equal(before);
  });

  it('completes a file, and never replaces what is there', async () => {
    await init();
    const { 'report-token': _, ...before } = await values();
    await run(sops, ['unset', FILE, '["report-token"]'], { ...options(environment()), okCodes: [0] });
    await run(sops, ['set', FILE, '["hook-secret"]', '"too-short"'], {
      ...options(environment()),
      okCodes: [0],
    });
    expect((await secrets(['init'])).stdout).to.match(/wrote report-token$/m);
    expect(await values()).to.deep.include({ ...before, 'hook-secret': 'too-short' });
    expect((await secrets(['check'])).stdout).to.match(
      /hook-secret is not of its form: .*rotate hook-secret/,
    );
    const other = await secrets(['init', '--values', '-'], { input: `forge-token: ${'ab12'.repeat(10)}` });
    expect(other.exitCode).to.equal(2);
    expect(other.stderr).to.match(/another forge-token .*rotate/);
  });

  it('rotates one secret, for those whom the rules name now, and says what must follow', async () => {
    await init();
    const before = await values();
    await rules({ a: ['operator', 'runner'] });
    const { stdout } = await secrets(['rotate', 'hook-secret']);
    expect(stdout)
      .to.match(/hook-secret is new/)
      .and.match(/nixos-rebuild switch/)
      .and.match(/webhook at the forge/);
    const { 'hook-secret': fresh, ...rest } = await values('runner');
    const { 'hook-secret': old, ...untouched } = before;
    expect(rest).to.deep.equal(untouched);
    expect(fresh)
      .to.match(/^[0-9a-f]{64}$/)
      .and.not.equal(old);
    expect(await values('host').catch((error: Error) => error.message)).to.match(/failed/);
  });

  it('rotates what a person gives only when given, and not to the same', async () => {
    await init();
    const before = await file();
    expect((await secrets(['rotate', 'forge-token'])).exitCode).to.equal(4);
    const same = await secrets(['rotate', 'forge-token', '--values', '-'], { input: GIVEN });
    expect(same.exitCode).to.equal(2);
    expect(same.stderr).to.match(/is the one that is there/);
    expect(await file()).to.equal(before);
    const given = join(dir, 'keys', 'new');
    await writeFile(given, `forge-token: ${TOKEN.toUpperCase()}\n`);
    await run(
      process.execPath,
      [CC_CI, 'secrets', 'rotate', 'forge-token', '--host', 'a', '--values', given],
      {
        ...options(environment()),
        okCodes: [0],
      },
    );
    await rm(given);
    expect((await values())['forge-token']).to.equal(TOKEN.toUpperCase());
    expect((await secrets(['rotate', 'nothing'])).stderr).to.match(/a server has no secret nothing/);
  });

  it('gives a runner what it shares with its server, and no more', async () => {
    await init();
    const refused = await secrets(['init', '--for', 'runner'], { host: 'r' });
    expect(refused.stderr).to.match(/drone-rpc-secret: .*the server's file has it/);
    const { stdout: input } = await run(sops, ['decrypt', FILE], options(environment()));
    const words = ['init', '--for', 'runner', '--values', '-'];
    expect((await secrets(words, { host: 'r', input })).exitCode).to.equal(0);
    const server = await values();
    expect(await values('runner', 'hosts/r/secrets.yaml')).to.deep.equal({
      'drone-rpc-secret': server['drone-rpc-secret'],
      'report-token': server['report-token'],
    });
    expect((await secrets(['check', '--for', 'runner'], { host: 'r' })).exitCode).to.equal(0);
  });

  describe('check', () => {
    const spoil = async (words: string[]) => {
      await run(sops, words, { ...options(environment()), okCodes: [0] });
    };
    const edit = async (change: (text: string) => string) =>
      writeFile(join(dir, 'repository', FILE), change(await file()));
    const set = (name: string, value: string) => spoil(['set', FILE, `["${name}"]`, JSON.stringify(value)]);

    const cases: [what: string, spoilt: () => Promise<unknown>, said: RegExp, exitCode: number][] = [
      [
        'a file that is not there',
        () => rm(join(dir, 'repository', FILE)),
        /there is no .*cc-ci secrets init/,
        4,
      ],
      [
        'a secret that is missing',
        () => spoil(['unset', FILE, '["hook-secret"]']),
        /hook-secret is missing/,
        4,
      ],
      ['a name that is none', () => set('hook-secrett', 'x'), /hook-secrett is no secret of a server/, 4],
      ['a placeholder', () => set('forge-token', 'changeme'), /forge-token is a placeholder/, 4],
      ['an empty one', () => set('forge-token', ''), /forge-token is empty/, 4],
      [
        'a value in clear',
        () => edit((text) => text.replace(/^hook-secret: .*$/m, 'hook-secret: in-clear-4711')),
        /hook-secret is in clear/,
        4,
      ],
      [
        'two values exchanged',
        () =>
          edit((text) => {
            const of = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
            return text.replace(of('hook-secret'), of('report-token'));
          }),
        /changed by something else than sops/,
        4,
      ],
      [
        'a file that is none of sops',
        () => edit(() => 'forge-token: in-clear-4711\n'),
        /is not encrypted by sops/,
        4,
      ],
      [
        'a recipient against the rules',
        () => rules({ a: ['operator'] }),
        /can decrypt it, against the rules/,
        4,
      ],
      [
        'a recipient left out',
        () => rules({ a: ['operator', 'host', 'runner'] }),
        /cannot decrypt it, though/,
        4,
      ],
      ['no rule', () => rules({}), /has no rule for/, 4],
      ['a rule that names nobody', () => rules({ a: [] }), /names nobody/, 4],
      ['no key here', async () => rm(keys.operator.file), /no key of its recipients is at hand/, 2],
    ];
    for (const [what, spoilt, said, exitCode] of cases) {
      it(`tells of ${what}`, async () => {
        await init();
        await spoilt();
        const before = await file().catch(() => undefined);
        const result = await run(
          process.execPath,
          [CC_CI, 'secrets', 'check', '--host', 'a'],
          options(environment()),
        );
        expect(result.stdout).to.match(said).and.not.include('in-clear-4711');
        expect(result.exitCode).to.equal(exitCode);
        expect(await file().catch(() => undefined)).to.equal(before);
      });
    }

    it('tells of the development key in a host’s file', async () => {
      await rules({ a: ['operator'] }, [DEVELOPMENT_RECIPIENT]);
      await init();
      const { exitCode, stdout } = await secrets(['check']);
      expect(exitCode).to.equal(4);
      expect(stdout).to.match(/everybody can decrypt it/);
    });

    it('tells that sops is missing, and what can be seen without it', async () => {
      await init();
      // Only what Node needs.
      const result = await secrets(['check'], { env: { ...environment(), PATH: join(dir, 'tmp') } });
      expect(result.exitCode).to.equal(2);
      expect(result.stdout)
        .to.match(/it has forge-token/)
        .and.match(/sops cannot be run: .*npm run parts -- sops/);
    });
  });

  it('asks at a terminal, shows nothing of the answer, and asks again when it cannot be', async () => {
    // A terminal, which only a program can have: python's is at hand on every test machine.
    const words = ['-c', 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)', process.execPath, CC_CI];
    const child = spawn('python3', [...words, 'secrets', 'init', '--host', 'a'], {
      cwd: join(dir, 'repository'),
      env: environment(),
    });
    const answers = ['too-short', TOKEN, PASSWORD];
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      shown += chunk;
      const asked = shown.split('which is not shown: ').length - 1;
      if (asked > 3 - answers.length) child.stdin.write(`${answers.shift()}\r`);
    });
    const [code] = await once(child, 'close');
    expect(code, shown).to.equal(0);
    expect(shown)
      .to.match(/it is not of its form/)
      .and.match(/wrote forge-token, forge-password, hook-secret/);
    for (const value of ['too-short', TOKEN, PASSWORD]) expect(shown).not.to.include(value);
    expect(await values()).to.deep.include({ 'forge-token': TOKEN, 'forge-password': PASSWORD });
  });

  it('killed at any moment leaves the old file or the new, and nothing in clear', async () => {
    await init();
    const started = performance.now();
    await secrets(['rotate', 'hook-secret']);
    const wholeMs = performance.now() - started;
    const seen = new Set([(await values())['hook-secret']]);
    for (let kill = 0; kill < KILLS; kill++) {
      const before = await values();
      const child = rotate('hook-secret');
      const exited = once(child, 'exit');
      await Promise.race([delay(wholeMs * Math.random()), exited]);
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      await exited;
      const { 'hook-secret': now, ...rest } = await values('host');
      expect(now).to.match(/^[0-9a-f]{64}$/);
      expect({ ...rest, 'hook-secret': before['hook-secret'] }).to.deep.equal(before);
      seen.add(now);
      await nothingInClear(Object.values(before).concat(now ?? ''));
    }
    const last = await secrets(['rotate', 'hook-secret']);
    expect(last.exitCode, last.stderr).to.equal(0);
    expect(seen.has((await values())['hook-secret'])).to.equal(false);
    expect((await secrets(['check'])).exitCode).to.equal(0);
  });

  it('two at once take turns: neither loses the other’s secret', async () => {
    await init();
    const before = await values();
    const both = ['hook-secret', 'drone-rpc-secret'];
    const ends = await Promise.all(
      both.map(async (name) => {
        const child = rotate(name);
        const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
        return { code, said };
      }),
    );
    expect(ends).to.deep.equal([
      { code: 0, said: '' },
      { code: 0, said: '' },
    ]);
    const now = await values();
    for (const name of both) expect(now[name], name).not.to.equal(before[name]);
  });

  function rotate(name: string): ChildProcessByStdio<null, null, Readable> {
    return spawn(process.execPath, [CC_CI, 'secrets', 'rotate', name, '--host', 'a'], {
      cwd: join(dir, 'repository'),
      env: environment(),
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }
});

describe('secrets/secrets.yaml, with the development key', () => {
  const FILE = 'secrets/secrets.yaml';
  let env: NodeJS.ProcessEnv;
  before(async function () {
    this.timeout(30 * 60_000);
    const { executable } = await ensurePart('sops');
    env = {
      PATH: `${dirname(executable)}:${process.env.PATH}`,
      HOME: process.env.HOME,
      SOPS_AGE_KEY_FILE: DEVELOPMENT_KEY,
    };
  });
  let dir: string | undefined;
  after(() => dir && rm(dir, { recursive: true }));

  it('is whole: every secret there is, each of its form', async () => {
    const { stdout } = await run(process.execPath, [CC_CI, 'secrets', 'check', '--file', FILE], {
      cwd: ROOT,
      env,
    });
    expect(stdout).to.match(/it can be decrypted here, and no value is a placeholder/);
  });

  it('is for that key alone, which is in no rule of a host', async () => {
    const { stdout } = await run('age-keygen', ['-y', DEVELOPMENT_KEY], AGE);
    expect(stdout.trim()).to.equal(DEVELOPMENT_RECIPIENT);
    const text = await readFile(join(ROOT, FILE), 'utf8');
    expect(readEncrypted(FILE, text).recipients).to.deep.equal([DEVELOPMENT_RECIPIENT]);
    const { creation_rules } = parse(await readFile(join(ROOT, '.sops.yaml'), 'utf8'));
    const ofHosts = creation_rules.filter((rule: { path_regex: string }) =>
      new RegExp(rule.path_regex).test('hosts/cc-ci/secrets.yaml'),
    );
    expect(ofHosts).to.have.length(1);
    expect(JSON.stringify(ofHosts)).not.to.include(DEVELOPMENT_RECIPIENT);
  });

  it('is opened by age itself with it: the data key', async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-age-'));
    const { sops } = parse(await readFile(join(ROOT, FILE), 'utf8'));
    await writeFile(join(dir, 'data-key.age'), sops.age[0].enc);
    await run(
      'age',
      ['-d', '-i', DEVELOPMENT_KEY, '-o', join(dir, 'data-key'), join(dir, 'data-key.age')],
      AGE,
    );
    expect(await readFile(join(dir, 'data-key'))).to.have.length(32);
  });

  it('has no value that is anywhere in git, or ever was', async () => {
    const { stdout } = await run('sops', ['decrypt', '--output-type', 'json', FILE], {
      cwd: ROOT,
      env,
      ...AGE,
    });
    const values = Object.values<string>(JSON.parse(stdout));
    expect(values).to.have.length(secretsOf('server').length);
    const all = ['cat-file', '--batch-all-objects', '--batch', '--unordered', '--buffer'];
    const git = spawn('git', all, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    const longest = Math.max(...values.map((value) => value.length));
    let rest = '';
    let bytes = 0;
    for await (const chunk of git.stdout) {
      const window = rest + (chunk as Buffer).toString('latin1');
      for (const value of values) expect(window.includes(value)).to.equal(false);
      rest = window.slice(-longest);
      bytes += (chunk as Buffer).length;
    }
    expect(bytes).to.be.greaterThan(100_000);
  });
});
