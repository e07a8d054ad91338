import type { Finding } from '@cc-ci/core';
import { longestNamePart } from '../compose.js';
import type { ComposeSource } from './compose-source.js';
import type { RecipeModel } from './model.js';
import { readResource, record } from './read-compose.js';
import { finding } from './rules.js';

/** Docker's limit for names of secrets and configs (engine API), less the underscore behind the stack's name. */
const DOCKER_ROOM = 64 - 1;
/** Characters a stack's name should have at least, and those it must have: a domain, its dots as underscores. */
const ROOM_WANTED = 30;
const ROOM_NEEDED = 20;

interface Part {
  kind: 'secrets' | 'configs';
  key: string;
  length: number;
  where: string;
}

/** Whether the longest name of a secret or config leaves room for the stack's name, whichever options are used. */
export function checkNames({ sources }: RecipeModel): Finding[] {
  const [longest] = [...sources.values()].flatMap(partsOf).sort((a, b) => b.length - a.length);
  if (!longest) return [];
  const room = DOCKER_ROOM - longest.length;
  if (room >= ROOM_WANTED) return [];
  const { kind, key, length, where } = longest;
  const message = `the name of ${kind.slice(0, -1)} ${key} is ${length} characters long without the stack's, which leaves ${Math.max(0, room)} of Docker's 64 for the stack; shorten it`;
  return [finding(room < ROOM_NEEDED ? 'name-too-long' : 'name-long', message, where)];
}

function partsOf(source: ComposeSource): Part[] {
  return (['secrets', 'configs'] as const).flatMap((kind) =>
    Object.entries(record(record(source.data)[kind])).flatMap(([key, value]) => {
      const { name, where } = readResource(source, [kind, key], record(value));
      if (name !== undefined && !/\$\{?STACK_NAME\b/.test(name)) return []; // the same in every stack
      return { kind, key, length: longestNamePart([{ [kind]: { [key]: { name } } }]), where };
    }),
  );
}
