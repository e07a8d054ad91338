import { expect } from 'chai';
import { describe, it } from 'mocha';
import { reproduceCommand } from './reproduce.js';

const ref = '0123456789abcdef0123456789abcdef01234567';
const src = 'https://forge.example/alice/custom-html.git';
const origin = 'https://forge.example/org/custom-html.git';
const request = { recipe: 'custom-html', ref, src, origin: undefined };

describe('the command to reproduce a run', () => {
  it('is the run, spelled out', () => {
    const command = `npx cc-ci run custom-html --ref ${ref}`;
    expect(reproduceCommand({ ...request, src: undefined })).to.equal(command);
    expect(reproduceCommand(request)).to.equal(`${command} --src ${src}`);
    expect(reproduceCommand({ ...request, origin: src })).to.equal(`${command} --src ${src}`);
    expect(reproduceCommand({ ...request, origin })).to.equal(`${command} --src ${src} --origin ${origin}`);
  });

  it('comes back unchanged from a shell', () => {
    const odd = "/srv/it's mine/$(reboot)/`x`";
    expect(reproduceCommand({ ...request, src: odd })).to.match(
      / --src '\/srv\/it'\\''s mine\/\$\(reboot\)\/`x`'$/,
    );
  });
});
