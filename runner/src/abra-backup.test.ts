import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { createBackup, downloadBackup, restoreBackup } from './abra-backup.js';
import { testContext } from './testing/context.js';

/** An abra that wants a terminal for backups, as the real one does, and says in a file what it was called with. */
const WANTS_TERMINAL = `#!/bin/sh
case "$2 $3" in
"backup create" | "restore "*)
  [ -t 1 ] || { echo 'FATA the input device is not a TTY' >&2; exit 1; }
  printf '%s\\n' "$*" >> "$0.calls"
  echo "ERRO Failed to run command mariadb-dump in db: exit code 2"
  echo 'snapshot 0123abcd saved' ;;
esac
`;
const SAYS_NOTHING = `#!/bin/sh
case "$2 $3" in "backup snapshots") [ -e "$0.list" ] || echo '2026-11-20 11111111' > "$0.list"; cat "$0.list" ;;
"backup create") echo '2026-11-21 22222222' >> "$0.list" ;;
esac
exit 0
`;

describe('backups by abra', () => {
  let dispose: (() => Promise<void>) | undefined;
  afterEach(() => dispose?.());

  const contextWith = async (script: string) => {
    const scene = await testContext('backup', { CC_CI_ABRA: '/nowhere' });
    dispose = scene.dispose;
    const program = join(scene.context.dir, 'abra $(id)');
    await writeFile(program, script);
    await chmod(program, 0o755);
    scene.context.config.runner.abra = program;
    scene.context.plan.app = { label: 'x', domain: 'x.ci.test', stack: 'x_ci_test' };
    return { context: scene.context, program };
  };
  const calls = async (program: string) => (await readFile(`${program}.calls`, 'utf8')).trim().split('\n');

  it('are made again with a terminal where abra wants one; what the bot says of its hooks is kept', async () => {
    const { context, program } = await contextWith(WANTS_TERMINAL);
    const { id, hookErrors } = await createBackup(context);
    expect(id).to.equal('0123abcd');
    expect(hookErrors.map((line) => line.trim())).to.deep.equal([
      'ERRO Failed to run command mariadb-dump in db: exit code 2',
    ]);
    expect(await restoreBackup(context, id)).to.have.length(1);
    expect(await calls(program)).to.deep.equal([
      'app backup create x.ci.test -n -C -o',
      'app restore x.ci.test -n -C -o --snapshot=0123abcd',
    ]);
  });

  it('are known by what is new in the list where abra does not name them', async () => {
    const { context } = await contextWith(SAYS_NOTHING);
    expect((await createBackup(context)).id).to.equal('22222222');
  });

  it('are an error where nobody can tell which one was made', async () => {
    const { context } = await contextWith('#!/bin/sh\nexit 0\n');
    expect(await createBackup(context).then(() => 'made', String)).to.match(
      /did not say which snapshot it made/,
    );
  });

  it('are an error where a download brings no archive', async () => {
    const { context } = await contextWith('#!/bin/sh\nexit 0\n');
    const download = downloadBackup(context, '0123abcd', join(context.dir, 'snapshot'));
    expect(await download.then(() => 'came', String)).to.match(/wrote no archive/);
  });
});
