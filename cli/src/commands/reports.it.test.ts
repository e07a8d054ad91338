import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createLogger,
  directorySink,
  httpSink,
  type ReportSink,
  runFolder,
  run as runProgram,
} from '@cc-ci/core';
import { buildDashboardApp } from '@cc-ci/dashboard';
import { createReportSender } from '@cc-ci/runner';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { selfCommand } from '../runner-process.js';

const TOKEN = 'shared-token-19c2';
const RUN = 'k3f9x2ab';

describe('reports of runs on another host', () => {
  let folder: string;
  let there: string;
  let url: string;
  let taken: string[];
  let refuse: string | undefined;
  let close: () => Promise<void>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-reports-'));
    there = join(folder, 'there');
    await mkdir(join(folder, 'site'));
    await mkdir(there);
    taken = [];
    refuse = undefined;
    const disk = directorySink(there);
    const sink: ReportSink = {
      async put(run, path, content) {
        if (path === refuse) throw new Error('disk full');
        taken.push(path);
        await disk.put(run, path, content);
      },
      async append(run, path, offset, content) {
        taken.push(`${path} from ${offset}`);
        return disk.append(run, path, offset, content);
      },
    };
    const app = await buildDashboardApp({ siteDir: join(folder, 'site'), reports: { token: TOKEN, sink } });
    url = await app.listen({ host: '127.0.0.1', port: 0 });
    close = () => app.close();
  });
  afterEach(async () => {
    await close();
    await rm(folder, { recursive: true });
  });

  const here = () => join(folder, 'here');
  const write = async (path: string, text: string) => {
    const file = join(runFolder(here(), RUN), path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, text);
  };
  const arrived = (path: string) => readFile(join(runFolder(there, RUN), path), 'utf8');
  const sender = (token = TOKEN) =>
    createReportSender({
      stateDir: here(),
      sink: httpSink({ url, token }),
      logger: createLogger('test', 'silent'),
    });

  it('arrive as they grow, what they refer to first and their end last', async () => {
    const reports = sender();
    await write('plan.json', '{"a":1}');
    await write('logs/install.log', 'one\n');
    expect(await reports.sendAll()).to.deep.equal({ sent: 2, failed: 0 });
    await appendFile(join(runFolder(here(), RUN), 'logs/install.log'), 'two ü\n');
    await write('screenshots/install-1.png', 'picture');
    await write('stage-install.json', '{}');
    await write('run.json', '{}');
    await write('plan.json', '{"a":2}');
    expect(await reports.sendAll()).to.deep.equal({ sent: 5, failed: 0 });
    expect(taken).to.deep.equal([
      'plan.json',
      'logs/install.log from 0',
      'plan.json',
      'logs/install.log from 4',
      'screenshots/install-1.png',
      'stage-install.json',
      'run.json',
    ]);
    expect(await arrived('logs/install.log')).to.equal('one\ntwo ü\n');
    expect(await arrived('plan.json')).to.equal('{"a":2}');
    expect(await reports.sendAll()).to.deep.equal({ sent: 0, failed: 0 });
    expect(await sender().sendAll(), 'by a sender that was started again').to.deep.equal({
      sent: 0,
      failed: 0,
    });
    await write('run.json', '{"verdict":"again"}');
    expect(await reports.sendAll()).to.deep.equal({ sent: 1, failed: 0 });
  });

  it('hold nothing else of the run', async () => {
    await write('plan.json', '{}');
    for (const path of [
      'secrets.json',
      'app.json',
      'lock',
      'abra/servers/default/x.env',
      'logs/.hidden',
      'junit.xml',
    ])
      await write(path, 'x');
    await sender().sendAll();
    expect(taken).to.deep.equal(['plan.json', 'junit.xml']);
  });

  it('say that a run is over only when all the rest is there', async () => {
    refuse = 'stage-install.json';
    await write('stage-install.json', '{}');
    await write('run.json', '{}');
    const reports = sender();
    expect(await reports.sendAll()).to.deep.equal({ sent: 0, failed: 1 });
    refuse = undefined;
    expect(await reports.sendAll()).to.deep.equal({ sent: 2, failed: 0 });
    expect(taken).to.deep.equal(['stage-install.json', 'run.json']);
  });

  it('are made whole again where the other side lost some', async () => {
    await write('logs/install.log', 'one\n');
    const reports = sender();
    await reports.sendAll();
    await rm(join(runFolder(there, RUN), 'logs/install.log'));
    await appendFile(join(runFolder(here(), RUN), 'logs/install.log'), 'two\n');
    expect(await reports.sendAll()).to.deep.equal({ sent: 1, failed: 0 });
    expect(await arrived('logs/install.log')).to.equal('one\ntwo\n');
  });

  it('are taken with the token only, and only where reports belong', async () => {
    const ask = async (path: string, init: RequestInit = {}) => {
      const headers = {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/octet-stream',
        ...init.headers,
      };
      return (await fetch(`${url}/api/reports/${path}`, { method: 'PUT', body: 'x', ...init, headers }))
        .status;
    };
    expect(await ask(`${RUN}/plan.json`)).to.equal(200);
    expect(await ask(`${RUN}/plan.json`, { headers: { authorization: 'Bearer other' } })).to.equal(401);
    expect(await ask(`${RUN}/plan.json`, { headers: { authorization: '' } })).to.equal(401);
    for (const path of [
      `${RUN}/secrets.json`,
      `${RUN}/logs/..%2F..%2Fx`,
      `${RUN}/%2Fetc%2Fpasswd`,
      'not%20a%20run/plan.json',
    ]) {
      expect(await ask(path), path).to.equal(400);
    }
    const growing = { method: 'PATCH', headers: { 'x-offset': '-1' } };
    expect(await ask(`${RUN}/logs/install.log`, growing)).to.equal(400);
    expect(await ask(`${RUN}/plan.json`, { method: 'PATCH' })).to.equal(400);
    expect(taken).to.deep.equal(['plan.json']);
  });

  it('are sent by cc-ci send-reports, which says what it lacks', async () => {
    await write('plan.json', '{}');
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, `${TOKEN}\n`);
    const send = async (env: NodeJS.ProcessEnv) => {
      const [file = '', ...args] = selfCommand('send-reports', '--once');
      const settings = { ...process.env, CC_CI_STATE_DIR: here(), ...env };
      const { exitCode, stdout, stderr } = await runProgram(file, args, {
        env: settings,
        okCodes: [0, 1, 2],
      });
      return { exitCode, text: stdout + stderr };
    };
    const missing = await send({});
    expect(missing.text).to.include('needs CC_CI_REPORT_URL and CC_CI_REPORT_TOKEN_FILE');
    expect(missing.exitCode).to.equal(2);
    const well = { CC_CI_REPORT_URL: url, CC_CI_REPORT_TOKEN_FILE: tokenFile };
    expect(await send(well)).to.deep.equal({ exitCode: 0, text: '1 files sent\n' });
    await write('plan.json', '{"b":1}');
    await writeFile(tokenFile, 'another\n');
    const refused = await send(well);
    expect(refused.exitCode).to.equal(1);
    expect(refused.text).to.include('both sides need the same CC_CI_REPORT_TOKEN_FILE');
    expect(refused.text).to.not.include('another');
  });
});
