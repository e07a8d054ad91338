import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { codeBlocks, type Page, readPages } from '../testing/docs.js';
import { evaluate, FACTS } from './testing/nix.js';
import type { Services, Timer } from './testing/units.js';

/** What the pages for people say of the host, held to the modules. */
describe('the pages about the host', () => {
  let pages: Page[];
  before(async () => {
    pages = await readPages();
  });
  const page = (name: string): string => {
    const found = pages.find((one) => one.name === name);
    return found?.text ?? expect.fail(`there is no ${name}`);
  };

  it('name options that there are', async () => {
    const options = (await evaluate<{ name: string }[]>('options', { profile: 'none', extra: '{ }' })).map(
      ({ name }) => name,
    );
    let seen = 0;
    for (const { name, text } of pages) {
      for (const [, option = ''] of text.matchAll(/\b(services\.cc-ci\.[A-Za-z]+(?:\.[A-Za-z]+)*)/g)) {
        // `settings` takes members of its own.
        const known = options.includes(option) || option.startsWith('services.cc-ci.settings.');
        expect(known, `${name}: ${option}`).to.equal(true);
        seen += 1;
      }
    }
    expect(seen).to.be.greaterThan(8);
  });

  it('list the units, ports and folders of a server', async () => {
    const text = page('docs/baseline.md');
    const services = Object.keys(await evaluate<Services>('services'));
    const timers = Object.keys(await evaluate<Record<string, Timer>>('timers'));
    const rows = [...text.matchAll(/^\| `([a-z-]+)\.service`(, `\.timer`)? \| ([^|]+) \|/gm)];
    expect(rows.map((row) => row[1])).to.have.members(services);
    expect(rows.filter((row) => row[2]).map((row) => row[1])).to.have.members(timers);
    const settings = await evaluate<Record<string, Record<string, unknown>>>('settings');
    for (const group of ['bridge', 'dashboard']) {
      const [address, port] = String(settings[group]?.listen).split(':');
      expect(text).to.include(`| ${port} | ${address} | ${group} |`);
    }
    const { tmpfiles } = await evaluate<{ tmpfiles: { rules: string[] } }>('config');
    for (const rule of tmpfiles.rules) {
      const [, folder, mode] = rule.split(' ');
      expect(text, rule).to.match(new RegExp(`^\\| \`${folder}\` \\| [^|]*${mode} \\|`, 'm'));
    }
  });

  it('say of each unit as whom it runs', async () => {
    const services = await evaluate<Services>('services');
    for (const [, unit = '', who = ''] of page('docs/baseline.md').matchAll(
      /^\| `([a-z-]+)\.service`(?:, `\.timer`)? \| ([^|]+) \|/gm,
    )) {
      const { User, DynamicUser, SupplementaryGroups } = services[unit]?.serviceConfig ?? {};
      const is = DynamicUser ? 'a user of its own' : User === 'cc-ci' ? '`cc-ci`' : 'root';
      expect(who, unit).to.match(new RegExp(`^${is}`));
      expect(/with Docker/.test(who), unit).to.equal(SupplementaryGroups !== undefined);
    }
  });

  it('say the facts of cc-ci as they are', async () => {
    const settings = await evaluate<Record<string, Record<string, string>>>('settings', {
      profile: 'host',
      extra: '{ }',
    });
    const text = page('docs/baseline.md');
    const { runner, common, drone, bridge } = settings;
    for (const fact of [runner?.zone, common?.publicUrl, drone?.url, bridge?.forgeUrl, bridge?.org])
      expect(text).to.include(`\`${fact}\``);
  });

  it('show a host of runners that can be', async () => {
    const [block] = codeBlocks(page('docs/install.md'), 'nix');
    expect(block).to.include('reports.url');
    // Any file that is there.
    const extra = `{ ${block?.replace('./secrets.yaml', './secrets/secrets.yaml')} }`;
    const options = { profile: 'runner', extra } as const;
    expect(await evaluate('toplevel', options)).to.match(/nixos-system-.*\.drv$/);
    expect(Object.keys(await evaluate<Services>('services', options))).to.include.members([
      'cc-ci-send-reports',
      'drone-runner',
    ]);
    expect(Object.keys((await evaluate<{ secrets: object }>('sops', options)).secrets)).to.have.members([
      'drone-rpc-secret',
      'report-token',
    ]);
  });

  it('show options of a server that can be', async () => {
    for (const block of codeBlocks(page('docs/enroll-recipe.md'), 'nix')) {
      expect(await evaluate('toplevel', { extra: `{ ${FACTS} ${block} }` }), block).to.match(/\.drv$/);
    }
  });
});
