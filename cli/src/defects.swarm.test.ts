import { chmod, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { newRunId, type RunRecord, run } from '@cc-ci/core';
import { makeWildcardCertificate } from '@cc-ci/sandbox';
import { ensureTinyImage } from '@cc-ci/sandbox/testing';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { abraWrapper, type Story, startRefusingRegistry, stories } from './testing/defects.js';
import { nodeState } from './testing/node-state.js';
import { makeProbe } from './testing/probe-recipe.js';
import { type Rig, startRig } from './testing/rig.js';

const OTHER_IMAGE = 'cc-ci/tiny:other';
/** Runs at once; most of their time is waiting for Swarm. */
const AT_ONCE = 3;

describe('defects planted in a recipe', function () {
  this.timeout(1_800_000);
  let rig: Rig;
  let registries: Server[];
  let nodeBefore: Awaited<ReturnType<typeof nodeState>>;
  const told = stories({ rateLimited: '', empty: '', otherCaFile: '' });
  const records = new Map<string, Promise<RunRecord>>();

  before(async () => {
    rig = await startRig([]);
    await run('docker', ['tag', await ensureTinyImage(), OTHER_IMAGE]);
    registries = await Promise.all([
      startRefusingRegistry(429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit'),
      startRefusingRegistry(404, 'MANIFEST_UNKNOWN', 'manifest unknown'),
    ]);
    const [rateLimited = '', empty = ''] = registries.map(
      (server) => `127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    const { caFile } = await makeWildcardCertificate(join(rig.dir, 'other'), 'ci.test');
    nodeBefore = await nodeState();
    startAll(stories({ rateLimited, empty, otherCaFile: caFile }));
  });
  after(async () => {
    await Promise.allSettled(records.values());
    const nodeAfter = await nodeState();
    for (const server of registries) server.close();
    await run('docker', ['image', 'rm', OTHER_IMAGE]);
    await rig.close();
    expect(nodeAfter).to.deep.equal(nodeBefore);
  });

  /** Some at a time; whoever tells a story waits for its record. */
  function startAll(all: readonly Story[]): void {
    const waiting: (() => Promise<void>)[] = [];
    for (const story of all) {
      const record = new Promise<RunRecord>((resolve, reject) => {
        waiting.push(() => play(story).then(resolve, reject));
      });
      record.catch(() => undefined);
      records.set(story.what, record);
    }
    const lane = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await next();
    };
    for (let number = 1; number <= AT_ONCE; number++) void lane();
  }

  async function play({ what, defect, stages, env, abra }: Story): Promise<RunRecord> {
    const id = newRunId();
    const dir = join(rig.dir, id);
    const probe = await makeProbe(dir, defect);
    const wrapper = join(dir, 'abra');
    if (abra) {
      await writeFile(wrapper, abraWrapper(abra));
      await chmod(wrapper, 0o755);
    }
    const request = [
      `--run=${id}`,
      `--ref=${probe.ref}`,
      `--src=${probe.src}`,
      `--stage=${stages.join(',')}`,
    ];
    const runner = rig.spawn(id, ['run', 'probe', ...request], {
      CC_CI_TESTS_DIR: probe.testsDir,
      ...(abra ? { CC_CI_ABRA: wrapper } : {}),
      ...env,
    });
    await runner.ended;
    return (await rig.record(id)) ?? expect.fail(`${what}: no record\n${runner.output()}`);
  }

  for (const { what, verdict, blame, says, stage, check } of told) {
    it(what, async () => {
      const record = (await records.get(what)) ?? expect.fail('was not started');
      const outcome = record.summary?.outcome ?? expect.fail('no outcome');
      const shown = JSON.stringify(record.stages, null, 1);
      expect(outcome.verdict, `${outcome.sentence}\n${shown}`).to.equal(verdict);
      expect(outcome.blame, outcome.sentence).to.equal(blame);
      if (says) expect(outcome.sentence).to.match(says);
      const failed = record.stages.filter(({ failure }) => failure).map((it) => it.stage);
      expect(failed, shown).to.deep.equal(stage ? [stage] : []);
      check?.(record);
    });
  }
});
