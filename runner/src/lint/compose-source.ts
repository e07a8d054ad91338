import { interpolate, type VariableUse, variablesOf } from '@cc-ci/core';
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
} from 'yaml';

/** A key path in a compose file. */
export type Path = readonly (string | number)[];

/** A variable, and where in a file. */
export interface LocatedUse extends VariableUse {
  path: Path;
  where: string;
}

/** One compose file of the recipe. */
export interface ComposeSource {
  name: string;
  /** As it is written, variables and all. */
  data: unknown;
  variables: readonly LocatedUse[];
  /** Whether the file has this key path. */
  has(path: Path): boolean;
  /** `file:line` of a key path; of its nearest parent where it leads nowhere. */
  at(path: Path): string;
  /** The file as it is with these values of variables. */
  read(env: Readonly<Record<string, string>>): unknown;
}

/** Reads a compose file that is known to be YAML (`readComposeFiles`). */
export function parseSource(name: string, text: string): ComposeSource {
  const lines = new LineCounter();
  const document: Document = parseDocument(text, { lineCounter: lines, merge: true });
  const place = (node: Node | null | undefined) => `${name}:${lines.linePos(node?.range?.[0] ?? 0).line}`;
  const variables: LocatedUse[] = [];
  eachText(document.contents as ParsedNode | null, [], (value, node, path) => {
    for (const use of variablesOf(value)) variables.push({ ...use, path, where: place(node) });
  });
  const data: unknown = document.toJS();
  return {
    name,
    data,
    variables,
    has: (path) => document.hasIn(path),
    at: (path) => place(nearest(document, path)),
    read: (env) => interpolated(data, env),
  };
}

/** Values only: Docker replaces no variables in keys. What an alias stands for is visited where it is written. */
function eachText(node: unknown, path: Path, visit: (value: string, node: Node, path: Path) => void): void {
  if (isMap(node)) {
    for (const { key, value } of node.items) eachText(value, [...path, String(key)], visit);
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => {
      eachText(item, [...path, index], visit);
    });
  } else if (isScalar(node) && typeof node.value === 'string') {
    visit(node.value, node, path);
  }
}

function nearest(document: Document, path: Path): Node | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    // The key's own line says more than the first line of what is below it.
    const pair = isMap(parent) && parent.items.find(({ key }) => isScalar(key) && key.value === last);
    if (pair && isNode(pair.key)) return pair.key;
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node;
  }
  return document.contents ?? undefined;
}

function interpolated(value: unknown, env: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') return interpolatedText(value, env);
  if (Array.isArray(value)) return value.map((item) => interpolated(item, env));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolated(item, env)]));
}

/** A required variable without a value is empty here: the rule on combinations says what is missing. */
function interpolatedText(text: string, env: Readonly<Record<string, string>>): string {
  const missing = variablesOf(text).filter(({ name, required }) => required && !env[name]);
  if (missing.length === 0) return interpolate(text, env);
  return interpolate(text.replaceAll(/(\$\{\w+):?\?[^}]*\}/g, '$1}'), env);
}
