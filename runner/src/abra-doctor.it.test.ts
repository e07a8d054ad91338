import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ToolMissingError } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { holdAgainstContract } from './abra-doctor.js';

/** An abra of a future that renamed a flag, knows every flag there is, and made JSON an object. */
const OTHER = `#!/bin/sh
case "$*" in
-v) echo 'abra version 9.0.0' ;;
*--help) echo '  -n, --no-input  -C, --chaos  -o, --offline  -a, --all  -l, --local  -f, --file'
  echo '  -D, --domain string  -s, --server string  -s, --snapshot string  -D, --no-domain-checks  -c, --no-convergence-checks' ;;
'app secret generate'*) echo '{"password": "x"}' ;;
esac
exit 0
`;

describe('examining an abra', () => {
  let folder: string | undefined;
  afterEach(() => folder && rm(folder, { recursive: true, force: true }));

  it('names what another abra does otherwise', async () => {
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-doctor-'));
    const program = join(folder, 'abra');
    await writeFile(program, OTHER);
    await chmod(program, 0o755);
    const findings = await holdAgainstContract(program);
    const differing = findings.flatMap(({ state, said }) => (state === 'fail' ? [said] : []));
    expect(differing).to.deep.equal([
      'abra app secret generate takes --all --no-input --machine --chaos --offline: its --help does not know -m, --machine',
      'abra app deploy takes --no-input --chaos --offline --no-domain-checks --no-converge-checks: its --help does not know -c, --no-converge-checks',
      'refuses flags it does not know: exit code 0',
      'has no --chaos for undeploy: it does not say so: nothing',
      'registers the local server as default: exit code 0: nothing',
      'makes an app without asking anything: exit code 0, no env file: nothing',
      "generates secrets as JSON rows of name and value: exit code 0: abra's JSON has another form than expected: ✖ Invalid input: expected array, received object",
    ]);
    expect(findings[0]).to.include({ state: 'ok', said: 'says its version: 9.0.0' });
  });

  it('says that there is none', async () => {
    const error = await holdAgainstContract('/nowhere/abra').catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(ToolMissingError);
  });
});
