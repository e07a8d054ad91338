import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CcCiError } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { describeSources, parseOsRelease, parseTargets, plainUri } from './apt.js';

const DEBIAN = `Debian|trixie|trixie|main|http://mirror.test/debian/
Debian|trixie|trixie|non-free-firmware|http://mirror.test/debian/
Debian|trixie-updates|trixie-updates|main|http://mirror.test/debian/
Debian|trixie-security|trixie-security|main|https://security.test/debian-security/
Debian Backports|trixie-backports|trixie-backports|main|http://mirror.test/debian/
Debian|sid|sid|main|http://mirror.test/debian/
Somebody|trixie|trixie|main|http://third.test/apt/
`;
const UBUNTU = `Ubuntu|noble|noble|main|http://mirror.test/ubuntu/
Ubuntu|noble|noble|universe|http://mirror.test/ubuntu/
Ubuntu|noble|noble-updates|main|http://mirror.test/ubuntu/
Ubuntu|noble|noble-backports|main|http://mirror.test/ubuntu/
Ubuntu|noble|noble-security|universe|http://security.test/ubuntu/
`;

describe("a machine's package archives", () => {
  it('are those of its release: Debian, Ubuntu, or what a derivative stands on', () => {
    expect(parseOsRelease('ID=debian\nVERSION_CODENAME=bookworm\n')).to.deep.equal({
      distribution: 'debian',
      suite: 'bookworm',
    });
    const mint = 'ID=linuxmint\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME="noble"\n';
    expect(parseOsRelease(mint)).to.deep.equal({ distribution: 'ubuntu', suite: 'noble' });
    expect(() => parseOsRelease('ID=alpine\nPRETTY_NAME="Alpine Linux v3.20"\n')).to.throw(
      CcCiError,
      'this machine runs Alpine Linux v3.20; images are made on Debian or Ubuntu',
    );
  });

  it("are the distribution's own, with updates and security, without backports and what others added", () => {
    const targets = parseTargets(DEBIAN, 'debian', 'trixie');
    const { sourcesList, mirror, components, packages } = describeSources(
      'debian',
      'trixie',
      targets,
      [],
      undefined,
    );
    const signed = 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';
    expect(sourcesList).to.equal(
      [
        `${signed} http://mirror.test/debian/ trixie main`,
        `${signed} http://mirror.test/debian/ trixie non-free-firmware`,
        `${signed} http://mirror.test/debian/ trixie-updates main`,
        `${signed} https://security.test/debian-security/ trixie-security main`,
        '',
      ].join('\n'),
    );
    expect(mirror).to.equal('http://mirror.test/debian/');
    expect(components).to.deep.equal(['main', 'non-free-firmware']);
    expect(packages, 'one archive speaks https').to.deep.equal(['ca-certificates']);
  });

  it("tell Ubuntu's pockets apart, which all carry the release's codename", () => {
    const targets = parseTargets(UBUNTU, 'ubuntu', 'noble');
    expect(targets.map(({ release }) => release)).to.deep.equal([
      'noble',
      'noble',
      'noble-updates',
      'noble-security',
    ]);
    const setup = describeSources('ubuntu', 'noble', targets.reverse(), [], undefined);
    expect(setup.mirror).to.equal('http://mirror.test/ubuntu/');
    expect(setup.packages).to.deep.equal([]);
  });

  for (const uri of ['http://user:word@mirror.test/debian/', 'file:/srv/debian/', 'cdrom:[Debian]/']) {
    it(`are refused where an image could not use them, or would give a secret away: ${uri}`, () => {
      const targets = [{ codename: 'trixie', release: 'trixie', component: 'main', uri }];
      expect(() => describeSources('debian', 'trixie', targets, [], undefined)).to.throw(
        CcCiError,
        'apt knows no archive of debian trixie that an image could use',
      );
    });
  }

  it('are found behind a list of mirrors, as cloud machines have', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'cc-ci-apt-'));
    try {
      const list = join(dir, 'mirrors.txt');
      await writeFile(
        list,
        '# nearest first\nhttp://near.test/ubuntu\tpriority:1\nhttp://far.test/ubuntu/\n',
      );
      expect(await plainUri(`mirror+file:${list}/`)).to.equal('http://near.test/ubuntu/');
      expect(await plainUri(`mirror+file://${list}`)).to.equal('http://near.test/ubuntu/');
    } finally {
      await rm(dir, { recursive: true });
    }
    expect(await plainUri('http://mirror.test/debian/')).to.equal('http://mirror.test/debian/');
  });
});
