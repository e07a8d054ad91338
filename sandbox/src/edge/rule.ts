import { InputError } from '@cc-ci/core';

/** What a rule looks at. */
export interface RuleInput {
  /** Lower case, without a port. */
  host: string;
  /** Path without the query. */
  path: string;
}

export type Rule = (input: RuleInput) => boolean;

const MATCHERS: Record<string, (values: string[]) => Rule> = {
  Host: (values) => {
    const hosts = values.map((value) => value.toLowerCase());
    return ({ host }) => hosts.includes(host);
  },
  Path: (values) => (input) => values.includes(input.path),
  PathPrefix: (values) => (input) => values.some((value) => input.path.startsWith(value)),
};

type Token = { kind: 'word' | 'value' | 'sign'; text: string };

/**
 * Reads a router's rule in Traefik's language, as far as recipes use it: Host, Path and PathPrefix with one value or
 * several (v2 allows that), joined by &&, ||, ! and parentheses.
 * @throws InputError naming the rule and what in it is not understood
 */
export function parseRule(text: string): Rule {
  const tokens = tokenize(text);
  let at = 0;
  const fail = (what: string): never => {
    throw new InputError(`the rule ${text} is not understood: ${what}`);
  };
  const accept = (sign: string): boolean => {
    if (tokens[at]?.kind !== 'sign' || tokens[at]?.text !== sign) return false;
    at++;
    return true;
  };
  const expect = (sign: string): void => {
    if (!accept(sign)) fail(`${sign} is missing before ${tokens[at]?.text ?? 'its end'}`);
  };

  function either(): Rule {
    const parts = [all()];
    while (accept('||')) parts.push(all());
    return (input) => parts.some((part) => part(input));
  }
  function all(): Rule {
    const parts = [one()];
    while (accept('&&')) parts.push(one());
    return (input) => parts.every((part) => part(input));
  }
  function one(): Rule {
    if (accept('!')) {
      const inner = one();
      return (input) => !inner(input);
    }
    if (accept('(')) {
      const inner = either();
      expect(')');
      return inner;
    }
    const name = tokens[at];
    if (name?.kind !== 'word') return fail(`a matcher is missing before ${name?.text ?? 'its end'}`);
    at++;
    const matcher = Object.hasOwn(MATCHERS, name.text) ? MATCHERS[name.text] : undefined;
    if (!matcher) return fail(`${name.text} is not one of ${Object.keys(MATCHERS).join(', ')}`);
    expect('(');
    const values: string[] = [];
    do {
      const value = tokens[at];
      if (value?.kind !== 'value') return fail(`${name.text} takes values in backticks`);
      values.push(value.text);
      at++;
    } while (accept(','));
    expect(')');
    return matcher(values);
  }

  const rule = either();
  if (at < tokens.length) fail(`${tokens[at]?.text} is too much`);
  return rule;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s*(?:([A-Za-z]+)|`([^`]*)`|"([^"]*)"|(&&|\|\||[!(),]))\s*/y;
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const found = pattern.exec(text);
    if (!found) throw new InputError(`the rule ${text} is not understood from "${text.slice(from)}" on`);
    const [, word, ticked, quoted, sign] = found;
    if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else tokens.push({ kind: 'value', text: ticked ?? quoted ?? '' });
  }
  return tokens;
}
