import type { Build } from '@cc-ci/engine';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { endpointClass } from './forge/endpoint-class.js';
import { createMetrics } from './metrics.js';
import type { SeenComment, Trigger } from './triggers.js';

const NOW = Date.parse('2026-11-21T12:00:10Z');
const noBuilds = { list: async () => [] };
const comment = (commentId: number, secondsAgo: number): SeenComment => ({
  commentId,
  repo: 'coop-cloud/custom-html',
  pr: 1,
  author: 'alice',
  createdAt: NOW - secondsAgo * 1_000,
  decision: 'testme',
});
const trigger = (commentId: number, change: Partial<Trigger>): Trigger => ({
  number: commentId,
  commentId,
  run: 'abcd1234',
  repo: 'coop-cloud/custom-html',
  pr: 1,
  author: 'alice',
  command: 'testme',
  stopReason: null,
  stopPassedOn: 0,
  state: 'started',
  attempts: 0,
  lastError: null,
  dueAt: 0,
  sha: null,
  src: null,
  origin: null,
  reason: null,
  replyId: null,
  replyBody: null,
  verdict: null,
  sentence: null,
  ...change,
});
const build = (state: Build['state']) => ({ state }) as Build;

async function linesOf(metrics: ReturnType<typeof createMetrics>, name: string): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(name));
}

describe('metrics', () => {
  it('count looks, requests, comments, deliveries and builds', async () => {
    const metrics = createMetrics({ engine: noBuilds, now: () => NOW });
    const { observer } = metrics;
    observer.looked('ok', 120);
    observer.looked('failed', 10_000);
    observer.asked({ method: 'GET', path: '/repos/coop-cloud/custom-html/pulls/7' }, 'ok', 30);
    observer.asked({ method: 'GET', path: '/repos/coop-cloud/hedgedoc/pulls/12' }, 'rate-limited', 30);
    observer.decided('testme', 'poll', comment(1, 5));
    observer.decided('no-command', 'webhook', { ...comment(2, 5), decision: 'no-command' });
    observer.delivered(202, 3);
    observer.moved(trigger(1, { state: 'concluded', verdict: 'red' }), 'build-ended');
    const text = await metrics.text();
    for (const line of [
      'cc_ci_poll_duration_seconds_count{outcome="ok"} 1',
      'cc_ci_poll_duration_seconds_bucket{le="0.25",outcome="ok"} 1',
      'cc_ci_poll_duration_seconds_count{outcome="failed"} 1',
      'cc_ci_forge_request_duration_seconds_count{method="GET",endpoint="/repos/:name/:name/pulls/:value",outcome="ok"} 1',
      'cc_ci_forge_request_duration_seconds_count{method="GET",endpoint="/repos/:name/:name/pulls/:value",outcome="rate-limited"} 1',
      'cc_ci_comments_total{decision="testme",via="poll"} 1',
      'cc_ci_comments_total{decision="no-command",via="webhook"} 1',
      'cc_ci_hook_duration_seconds_count{status="202"} 1',
      'cc_ci_builds_ended_total{verdict="red"} 1',
    ]) {
      expect(text.split('\n')).to.include(line);
    }
    expect(text)
      .to.match(/^process_resident_memory_bytes \d/m)
      .and.match(/^process_cpu_seconds_total \d/m);
    expect(text).to.not.match(/custom-html|hedgedoc|alice/);
  });

  it('take the latency of a trigger from its comment to its build, once, by how it was seen', async () => {
    const metrics = createMetrics({ engine: noBuilds, now: () => NOW });
    const { observer } = metrics;
    observer.decided('testme', 'webhook', comment(1, 3));
    observer.decided('testme', 'poll', comment(2, 7));
    observer.decided('testme', 'poll', comment(3, 60));
    observer.moved(trigger(1, { state: 'authorised' }), 'may-test');
    observer.moved(trigger(1, {}), 'build-started');
    observer.moved(trigger(1, {}), 'build-started');
    observer.moved(trigger(2, {}), 'build-started');
    observer.moved(trigger(3, { state: 'rejected' }), 'may-not-ask-again');
    observer.moved(trigger(3, {}), 'build-started');
    observer.moved(trigger(4, {}), 'build-started');
    const latency = await linesOf(metrics, 'cc_ci_trigger_latency_seconds_');
    expect(latency.filter((line) => /_(sum|count)/.test(line))).to.have.members([
      'cc_ci_trigger_latency_seconds_sum{via="webhook"} 3',
      'cc_ci_trigger_latency_seconds_count{via="webhook"} 1',
      'cc_ci_trigger_latency_seconds_sum{via="poll"} 7',
      'cc_ci_trigger_latency_seconds_count{via="poll"} 1',
    ]);
  });

  it('count the queue, however long it is, and ask no further than to its end', async () => {
    const builds = [
      ...Array.from({ length: 230 }, () => build('queued')),
      build('running'),
      build('success'),
      build('running'),
      ...Array.from({ length: 5_000 }, () => build('success')),
    ];
    const asked: number[] = [];
    const list = async ({ limit = 0 } = {}) => {
      asked.push(limit);
      return builds.slice(0, limit);
    };
    const metrics = createMetrics({ engine: { list }, now: () => NOW });
    expect(await linesOf(metrics, 'cc_ci_builds{')).to.deep.equal([
      'cc_ci_builds{state="queued"} 230',
      'cc_ci_builds{state="running"} 2',
    ]);
    expect(asked).to.deep.equal([100, 400]);
  });

  it('say that the engine is gone, instead of numbers that are old', async () => {
    let answer = async (): Promise<Build[]> => [build('running')];
    const metrics = createMetrics({ engine: { list: () => answer() }, now: () => NOW, engineTimeoutMs: 20 });
    expect(await linesOf(metrics, 'cc_ci_engine_up ')).to.deep.equal(['cc_ci_engine_up 1']);
    for (const broken of [
      () => Promise.reject(new Error('gone')),
      () => new Promise<Build[]>(() => undefined),
    ]) {
      answer = broken;
      const lines = await linesOf(metrics, 'cc_ci_');
      expect(lines).to.include('cc_ci_engine_up 0');
      expect(lines.filter((line) => line.startsWith('cc_ci_builds{'))).to.deep.equal([]);
    }
    answer = async () => [];
    expect(await linesOf(metrics, 'cc_ci_builds{')).to.include('cc_ci_builds{state="running"} 0');
  });
});

describe('the endpoint of a path', () => {
  it('names nobody and nothing, also where names are words of the API', () => {
    const classes = [
      '/user',
      '/orgs/coop-cloud/activities/feeds?limit=50&page=2',
      '/orgs/coop-cloud/members/alice',
      '/orgs/pulls/members/a%2Fb',
      '/repos/pulls/issues/pulls/1',
      '/repos/coop-cloud/custom-html/issues/12/comments?page=3',
      '/repos/coop-cloud/custom-html/issues/comments/9',
      `/repos/coop-cloud/custom-html/statuses/${'a'.repeat(40)}`,
      '/repos/issues/search?owner=coop-cloud',
      '/something/new/alice',
    ].map(endpointClass);
    expect(classes).to.deep.equal([
      '/user',
      '/orgs/:name/activities/feeds',
      '/orgs/:name/members/:value',
      '/orgs/:name/members/:value',
      '/repos/:name/:name/pulls/:value',
      '/repos/:name/:name/issues/:value/comments',
      '/repos/:name/:name/issues/comments/:value',
      '/repos/:name/:name/statuses/:value',
      '/repos/issues/search',
      '/:value/:value/:value',
    ]);
  });
});
