import { InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { parseRule } from './rule.js';

describe('a router rule', () => {
  const holds = (rule: string, host: string, path = '/') => parseRule(rule)({ host, path });

  it('names hosts in the form of Traefik 2 and in that of Traefik 3', () => {
    for (const rule of ['Host(`a.test`, `b.test`)', 'Host(`a.test`) || Host(`b.test`)']) {
      expect(holds(rule, 'a.test'), rule).to.equal(true);
      expect(holds(rule, 'b.test'), rule).to.equal(true);
      expect(holds(rule, 'c.test'), rule).to.equal(false);
    }
  });

  it('takes what EXTRA_DOMAINS pastes into it, and nothing pasted as well', () => {
    expect(holds('Host(`a.test`, `www.a.test`)', 'www.a.test')).to.equal(true);
    expect(holds('Host(`a.test`)', 'www.a.test')).to.equal(false);
  });

  it('knows paths, and that && binds stronger than ||', () => {
    const rule = 'Host(`a.test`) || Host(`b.test`) && PathPrefix(`/api`, `/ws`)';
    expect(holds(rule, 'a.test', '/')).to.equal(true);
    expect(holds(rule, 'b.test', '/api/x')).to.equal(true);
    expect(holds(rule, 'b.test', '/ws')).to.equal(true);
    expect(holds(rule, 'b.test', '/')).to.equal(false);
    expect(holds('Path(`/x`)', 'any', '/x')).to.equal(true);
    expect(holds('Path(`/x`)', 'any', '/x/y')).to.equal(false);
  });

  it('knows parentheses, "not" and double quotes', () => {
    const rule = '(Host("a.test") || Host("b.test")) && !PathPrefix("/admin")';
    expect(holds(rule, 'b.test', '/')).to.equal(true);
    expect(holds(rule, 'b.test', '/admin')).to.equal(false);
  });

  it('compares names without regard to case', () => {
    expect(holds('Host(`App.Test`)', 'app.test')).to.equal(true);
  });

  const broken: [rule: string, complaint: string][] = [
    ['', 'a matcher is missing before its end'],
    ['Host(`a`', ') is missing before its end'],
    ['Host()', 'Host takes values in backticks'],
    ['Host(`a`) Host(`b`)', 'Host is too much'],
    ['Host(`a`) &&', 'a matcher is missing before its end'],
    ['HostRegexp(`.*`)', 'HostRegexp is not one of Host, Path, PathPrefix'],
    ['toString(`a`)', 'toString is not one of Host, Path, PathPrefix'],
    ['Host(`a`) & Host(`b`)', 'the rule Host(`a`) & Host(`b`) is not understood from "& Host(`b`)" on'],
    ["Host('a')", 'is not understood from "\'a\')" on'],
  ];
  for (const [rule, complaint] of broken) {
    it(`says what is wrong with "${rule}"`, () => {
      expect(() => parseRule(rule)).to.throw(InputError, complaint);
    });
  }
});
