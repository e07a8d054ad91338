import { join } from 'node:path';
import { newRunId } from '@cc-ci/core';
import { holdAgainstContract } from '@cc-ci/runner';
import { ABRA_EXECUTABLE } from '@cc-ci/sandbox';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { makeProbe } from './testing/probe-recipe.js';
import { type Rig, startRig } from './testing/rig.js';

describe('the abra at hand', function () {
  this.timeout(400_000);

  it('is as the runner expects it', async () => {
    const findings = await holdAgainstContract(ABRA_EXECUTABLE);
    expect(findings.filter(({ state }) => state !== 'ok')).to.deep.equal([]);
    expect(findings.length).to.be.above(15);
  });

  describe('when it is awkward', () => {
    let rig: Rig;
    before(async () => {
      rig = await startRig([]);
    });
    after(() => rig.close());

    it('is borne: it wants a terminal for backups, logs on stdout, and speaks another language', async () => {
      const { ref, src, testsDir } = await makeProbe(join(rig.dir, 'probe'), {});
      const id = newRunId();
      const runner = rig.spawn(id, ['run', 'probe', `--run=${id}`, `--ref=${ref}`, `--src=${src}`], {
        CC_CI_TESTS_DIR: testsDir,
        ABRA_STANDIN_AWKWARD: 'terminal,stdout,translated',
      });
      expect(await runner.ended, runner.output()).to.equal(0);
      const record = await rig.record(id);
      expect(record?.stages.map(({ stage, state }) => `${stage} ${state}`)).to.include.members([
        'upgrade passed',
        'backup passed',
        'teardown passed',
      ]);
    });
  });
});
