import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendSignal } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Workspace } from './environment.js';
import { runStep } from './step.js';

describe('a step of an exec pipeline', () => {
  let workspace: Workspace;
  let output: string;
  let end: AbortController;
  beforeEach(async () => {
    const root = await mkdtemp(join(tmpdir(), 'cc-ci-step-'));
    workspace = { root, home: root, source: join(root, 'src'), scripts: join(root, 'opt') };
    await mkdir(workspace.source);
    await mkdir(workspace.scripts);
    output = '';
    end = new AbortController();
  });
  afterEach(() => rm(workspace.root, { recursive: true }));

  const step = (commands: string[], env: Record<string, string> = {}) =>
    runStep(
      { name: 'install it/now', commands, env: { PATH: process.env.PATH ?? '', ...env } },
      workspace,
      (chunk) => {
        output += chunk;
      },
      end.signal,
    );

  it('says each command and runs it where the sources are, up to the first that fails', async () => {
    const code = await step(['pwd', 'echo "it\'s $WORD"', 'false', 'echo never'], { WORD: '$(id)' });
    expect(code).to.equal(1);
    const said = ['+ pwd', workspace.source, '+ echo "it\'s $WORD"', "it's $(id)", '+ false', ''];
    expect(output).to.equal(said.join('\n'));
  });

  it('sees what it is given of the environment, and nothing of the runner’s', async () => {
    process.env.CC_CI_STEP_TEST = 'ours';
    try {
      expect(await step(['test -z "$CC_CI_STEP_TEST"', 'exit 7'])).to.equal(7);
    } finally {
      delete process.env.CC_CI_STEP_TEST;
    }
  });

  it('is over when nothing holds its output open any more', async () => {
    await step([`(while [ ! -e go ]; do sleep 0.02; done; echo late) & echo begun; : > ready; touch go`]);
    expect(output).to.match(/begun\nlate\n$/);
  });

  it('is killed without its children, and without a chance to tidy up', async () => {
    const killed = step(["trap 'echo tidy > tidied' TERM EXIT", 'sleep 60 & echo $! > child', 'wait']);
    const child = async () => Number(await readFile(join(workspace.source, 'child'), 'utf8').catch(() => ''));
    await until(async () => (await child()) > 0);
    end.abort();
    expect(await killed).to.equal(undefined);
    expect(sendSignal(await child(), 0)).to.equal(true);
    sendSignal(await child(), 'SIGKILL');
    expect(await readFile(join(workspace.source, 'tidied'), 'utf8').catch(() => 'not there')).to.equal(
      'not there',
    );
  });

  it('leaves who outlives it able to write, to nobody', async () => {
    const talk = 'until [ -e go ]; do sleep 0.02; done; echo late && : > written';
    const killed = step([`(${talk}) & : > ready`, 'wait']);
    const there = (name: string) => readFile(join(workspace.source, name)).catch(() => undefined);
    await until(async () => (await there('ready')) !== undefined);
    end.abort();
    expect(await killed).to.equal(undefined);
    await writeFile(join(workspace.source, 'go'), '');
    await until(async () => (await there('written')) !== undefined);
    expect(output).to.not.match(/^late$/m);
  });

  it('runs what stands in backquotes twice: when it is shown, too', async () => {
    await step(['echo "`echo x >> count; echo y`"']);
    expect(await readFile(join(workspace.source, 'count'), 'utf8')).to.equal('x\nx\n');
  });

  it('ends with 255 when somebody else kills it', async () => {
    expect(await step(['kill -9 $$'])).to.equal(255);
  });
});
