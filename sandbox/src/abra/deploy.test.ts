import { expect } from 'chai';
import { describe, it } from 'mocha';
import { clientEnvironment } from './deploy.js';
import { overlays, targetLabels } from './overlay.js';

describe('what a deploy adds to a recipe', () => {
  it('labels a version, or with chaos the tree', () => {
    expect(targetLabels('s', 'wiki', { version: '1.0.0+2', chaos: false })).to.deep.equal({
      'coop-cloud.s.recipe': 'wiki',
      'coop-cloud.s.chaos': 'false',
      'coop-cloud.s.version': '1.0.0+2',
    });
    expect(targetLabels('s', 'wiki', { version: 'eb96de94+U', chaos: true })).to.deep.equal({
      'coop-cloud.s.recipe': 'wiki',
      'coop-cloud.s.chaos': 'true',
      'coop-cloud.s.chaos-version': 'eb96de94+U',
    });
  });

  it('says it so that Docker takes every value for what it is', () => {
    const { before, after } = overlays(
      '3.8',
      { PRICE: '5$ or ${X}', ANSWER: 'yes', MODE: '0777' },
      { l: '`$a`' },
    );
    expect(JSON.parse(before)).to.deep.equal({
      version: '3.8',
      services: { app: { environment: { PRICE: '5$$ or $${X}', ANSWER: 'yes', MODE: '0777' } } },
    });
    expect(JSON.parse(after)).to.deep.equal({
      version: '3.8',
      services: { app: { deploy: { labels: { l: '`$$a`' } } } },
    });
    expect(overlays(undefined, {}, {}).before).to.not.include('version');
  });

  it("shows compose files the app's variables and nothing of this process", () => {
    const own = {
      PATH: '/bin',
      HOME: '/root',
      DOCKER_HOST: 'unix:///s',
      CC_CI_RUN: 'r',
      TOKEN: 'secret',
      GREETING: 'ours',
    };
    const { env, hidden } = clientEnvironment({ GREETING: 'theirs', HOME: '/data' }, own);
    expect(env).to.deep.equal({
      PATH: '/bin',
      HOME: '/root',
      DOCKER_HOST: 'unix:///s',
      CC_CI_RUN: 'r',
      GREETING: 'theirs',
    });
    expect(hidden).to.deep.equal(['HOME']);
  });
});
