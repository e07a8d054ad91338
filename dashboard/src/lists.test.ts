import { pendingStage, type StageRecord } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { badgeFiles } from './badges.js';
import { durationChart, levelChart, sparkline } from './charts.js';
import type { RunFacts } from './facts.js';
import { atomFeed, robots, sitemap } from './feed.js';
import { flakyTests } from './flaky.js';
import type { Run } from './model.js';
import { monogram, summarise } from './overview-page.js';
import { historyPages } from './recipe-page.js';
import { recipeOf } from './recipes.js';
import { someRequest, someTest } from './testing/fixtures.js';

let number = 0;

/** A run that ended, each newer than the one before. */
function run(change: Partial<Run> = {}, facts: Partial<RunFacts> = {}): Run {
  number += 1;
  const request = change.request ?? someRequest({ recipe: 'gitea' });
  const time = new Date(Date.parse('2026-11-01T00:00:00Z') + number * 60_000).toISOString();
  const whole: RunFacts = {
    request,
    createdAt: time,
    partial: false,
    stages: [{ stage: 'install', state: 'passed', ms: 20_000 }],
    outcome: { verdict: 'green', sentence: 'all is well' },
    failed: false,
    activity: '',
    failedTests: [],
    ...facts,
  };
  return {
    id: request.run,
    status: 'green',
    sentence: 'all is well',
    blame: undefined,
    recipe: request.recipe,
    request,
    facts: whole,
    build: undefined,
    time,
    startedAt: time,
    finishedAt: time,
    dir: `/runs/${request.run}`,
    key: request.run,
    ...change,
  };
}

describe('a recipe', () => {
  it('has the level of its newest run that has one, and the result of the newest that was whole', () => {
    const level = { value: 5, scale: 1, missing: 'ships its own tests: none' };
    const levelled = run({ status: 'red' }, { level });
    const cancelled = run({ status: 'cancelled' });
    const partial = run({}, { partial: true });
    const recipe = recipeOf('gitea', [partial, cancelled, levelled]);
    expect(recipe.latest).to.equal(cancelled);
    expect(recipe.level).to.include({ value: 5, run: levelled });
    expect(summarise([recipe], [], '').map(({ count, mark }) => [count, mark.word])).to.deep.equal([
      [0, 'green'],
      [0, 'red'],
      [1, 'cancelled'],
      [0, 'running'],
      [0, 'queued'],
    ]);
  });

  it('has a history whose full pages never change', () => {
    const runs = Array.from({ length: 234 }, () => run()).reverse();
    const { newest, older } = historyPages(runs);
    expect(newest.length).to.equal(84);
    expect([...newest, ...older.toReversed().flat()]).to.deep.equal(runs);
    const more = historyPages([run(), ...runs]);
    expect(more.older).to.deep.equal(older);
    for (const length of [0, 1, 99]) expect(historyPages(runs.slice(0, length)).older).to.deep.equal([]);
  });

  it('is drawn: its last results, its times, its levels', () => {
    const [green, red, lost] = [run(), run({ status: 'red' }), run({ status: 'lost' })];
    const spark = sparkline([lost, red, green]);
    expect(spark?.label).to.equal('last 3 runs: 1 green, 1 red, 1 without a verdict');
    expect(spark?.paths.map(({ tone, d }) => [tone, d])).to.deep.equal([
      ['good', 'M87 18V0'],
      ['bad', 'M92 18V7'],
      ['idle', 'M97 18V14'],
    ]);
    expect(sparkline([])).to.equal(undefined);
    const chart = durationChart([red, green]);
    expect(chart?.stages).to.deep.equal([{ stage: 'install', d: 'M23.5 160v-160M73.5 160v-160' }]);
    expect(chart?.bars.map(({ x }) => x)).to.deep.equal([0, 50]);
    expect(chart?.medians).to.deep.equal([{ stage: 'install', title: 'Install', text: '20 s' }]);
    expect(durationChart([green])).to.equal(undefined);
    const levels = [8, 0].map((value) => run({}, { level: { value, scale: 1 } }));
    expect(levelChart(levels)?.label).to.equal('levels of the last 2 runs, the oldest first: 0, 8');
  });

  it('has two letters', () => {
    expect(['nextcloud', 'matrix-synapse', 'x', 'a.b'].map(monogram)).to.deep.equal(['ne', 'ms', 'x', 'ab']);
  });
});

describe('flaky tests', () => {
  const record = (state: 'passed' | 'failed'): StageRecord => ({
    ...pendingStage('install'),
    state: 'passed',
    tests: [someTest({ state })],
  });
  const name = 'install › health › answers over HTTPS';

  it('are those that passed and failed on one commit', () => {
    const request = someRequest({ recipe: 'gitea' });
    const again = someRequest({ ...request, run: someRequest().run });
    const failed = run({ request, status: 'red' }, { failedTests: [name] });
    const passed = run({ request: again });
    const found = flakyTests([passed, failed], (it) => record(it === failed ? 'failed' : 'passed'));
    expect(found).to.deep.equal([{ name, ref: request.ref, passed, failed }]);
  });

  it('are not those that failed on one commit and passed on another, nor those of one run', () => {
    const failed = run({ status: 'red' }, { failedTests: [name] });
    expect(flakyTests([run(), failed], () => record('passed'))).to.deep.equal([]);
    expect(flakyTests([failed], () => record('passed'))).to.deep.equal([]);
  });
});

describe('what other programs read', () => {
  const evil = `"><script>&'`;

  it('badges, as pictures and for shields.io', () => {
    const files = badgeFiles(recipeOf('gitea', [run({ status: 'red' }, { level: { value: 2, scale: 1 } })]));
    expect([...files.keys()]).to.deep.equal([
      'gitea.svg',
      'gitea.json',
      'gitea-level.svg',
      'gitea-level.json',
    ]);
    expect(JSON.parse(files.get('gitea.json') ?? '')).to.deep.equal({
      schemaVersion: 1,
      label: 'cc-ci',
      message: 'red',
      color: '#b3212d',
      cacheSeconds: 300,
    });
    expect(files.get('gitea-level.svg')).to.contain('<title>cc-ci level: 2 of 8</title>');
    const none = badgeFiles(recipeOf('gitea', [run({ status: 'running' })]));
    expect(none.get('gitea.svg')).to.contain('cc-ci: running');
    expect(none.get('gitea-level.svg')).to.contain('none yet');
  });

  it('a feed of what has ended, well-formed whatever is in it', () => {
    const bad = run({ status: 'red', sentence: `${evil}\u0000\u0008` });
    const feed = atomFeed([run({ status: 'running' }), bad], 'https://ci.example.org');
    expect(feed.match(/<entry>/g)).to.have.length(1);
    expect(feed).to.contain(`<id>https://ci.example.org/runs/${bad.id}/</id>`);
    expect(feed).to.contain('<summary>&quot;&gt;&lt;script&gt;&amp;&#39;</summary>');
    expect(feed).to.contain(`<updated>${bad.finishedAt}</updated>`);
    expect(atomFeed([], '')).to.contain('<updated>1970-01-01T00:00:00.000Z</updated>');
  });

  it('a site map and a file for robots, below the path of the site', () => {
    expect(sitemap(['gitea'], 'https://x.org/ci')).to.contain('<loc>https://x.org/ci/recipes/gitea/</loc>');
    expect(robots('/ci', 'https://x.org/ci')).to.equal(
      'User-agent: *\nDisallow: /ci/runs/*/logs/\nDisallow: /ci/runs/*/log/\n\nSitemap: https://x.org/ci/sitemap.xml\n',
    );
  });
});
