import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { createEnrolment, isEnrolled } from './enrolment.js';

describe('enrolment', () => {
  const table: [string[], string, boolean][] = [
    [['*'], 'wordpress', true],
    [[], 'wordpress', false],
    [['wordpress'], 'wordpress', true],
    [['wordpress'], 'WordPress', true],
    [['wordpress'], 'wordpress2', false],
    [['wordpress'], 'my-wordpress', false],
    [['word*'], 'wordpress', true],
    [['*press'], 'wordpress', true],
    [['w*d*s'], 'wordpress', true],
    [['wor?press'], 'wordpress', true],
    [['wor?press'], 'worpress', false],
    [['n8.io'], 'n8xio', false],
    [['*', '!traefik'], 'traefik', false],
    [['*', '!traefik'], 'wordpress', true],
    [['!traefik'], 'wordpress', false],
    [['!traefik', '*'], 'traefik', true],
    [['*', '!back*', 'backup-bot'], 'backup-bot', true],
    [['*', '!back*', 'backup-bot'], 'backups', false],
  ];
  for (const [patterns, name, expected] of table) {
    it(`${expected ? 'admits' : 'leaves out'} ${name} by ${patterns.join(' ') || 'nothing'}`, () => {
      expect(isEnrolled(name, patterns)).to.equal(expected);
    });
  }

  describe('by a file', () => {
    let folder: string;
    let file: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'cc-ci-enrolled-'));
      file = join(folder, 'enrolled');
    });
    after(() => rm(folder, { recursive: true }));

    it('admits everything where nothing is said, and nothing by an empty file', async () => {
      await writeFile(file, '# nobody yet\n');
      const everything = createEnrolment({ patterns: undefined, file: undefined });
      expect([everything.how, await everything.admits('x')]).to.deep.equal(['setting', true]);
      const nothing = createEnrolment({ patterns: undefined, file });
      expect([nothing.how, await nothing.admits('x')]).to.deep.equal(['file', false]);
      expect(await createEnrolment({ patterns: [], file: undefined }).admits('x')).to.equal(false);
    });

    it('reads the file again, after the setting', async () => {
      const enrolment = createEnrolment({ patterns: ['*', '!traefik'], file });
      await writeFile(file, '');
      expect(await enrolment.admits('traefik')).to.equal(false);
      await writeFile(file, '  traefik   # tested again\r\n\n');
      expect(await enrolment.admits('traefik')).to.equal(true);
      await writeFile(file, '!*\n');
      expect(await enrolment.admits('wordpress')).to.equal(false);
    });

    it('admits nobody by a file that cannot be read or understood, and says why', async () => {
      const why = (answer: Promise<boolean>) => answer.catch((error: unknown) => error);
      await writeFile(file, 'wordpress\ncoop-cloud/traefik\n');
      const odd = await why(createEnrolment({ patterns: ['*'], file }).admits('wordpress'));
      expect(odd).to.be.instanceOf(InputError);
      expect((odd as Error).message).to.include('"coop-cloud/traefik" is no pattern');
      const missing = join(folder, 'nowhere');
      const gone = await why(createEnrolment({ patterns: ['*'], file: missing }).admits('wordpress'));
      expect((gone as Error).message).to.include(`CC_CI_ENROLLED_FILE=${missing} cannot be read`);
    });
  });
});
