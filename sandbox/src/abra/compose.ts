import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@cc-ci/core';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';

const DEFAULT_FILE = 'compose.yml';

const service = z.looseObject({
  image: z.string().optional(),
  secrets: z.array(z.union([z.string(), z.looseObject({ source: z.string() })])).nullish(),
});

const secret = z.looseObject({
  name: z.string().optional(),
  file: z.string().optional(),
  external: z.union([z.boolean(), z.looseObject({ name: z.string().optional() })]).optional(),
});

/** A compose file, as far as we look into it; everything else is Docker's to judge. */
const composeFile = z.looseObject({
  version: z.string().optional(),
  services: z.record(z.string(), service).nullish(),
  secrets: z.record(z.string(), secret.nullable()).nullish(),
});

/** One compose file of an app. */
export interface ComposeSource {
  /** As `COMPOSE_FILE` names it. */
  name: string;
  data: z.output<typeof composeFile>;
  /** `name:line:column` of a key path; of the nearest parent where the path leads nowhere. */
  locate(path: readonly PropertyKey[]): string;
  /** Whether the file has this key path. */
  has(path: readonly PropertyKey[]): boolean;
}

/** What several compose files say together, as far as we look. */
export interface Compose {
  sources: readonly ComposeSource[];
  services: Map<string, { image: string | undefined; secrets: string[] }>;
  secrets: Map<string, { name: string | undefined; file: boolean }>;
}

/** The names in `COMPOSE_FILE`, or the one file every recipe has. */
export function composeFileNames(env: Readonly<Record<string, string>>): string[] {
  const names = (env.COMPOSE_FILE ?? '').split(':').filter(Boolean);
  return names.length > 0 ? names : [DEFAULT_FILE];
}

/**
 * Reads the compose files that an app's env file names.
 * @throws InputError when one is missing, or with file, line and column of what is wrong in it
 */
export async function readCompose(folder: string, env: Readonly<Record<string, string>>): Promise<Compose> {
  return mergeCompose(await Promise.all(composeFileNames(env).map((name) => readSource(folder, name))));
}

async function readSource(folder: string, name: string): Promise<ComposeSource> {
  const path = join(folder, name);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new InputError(`${path} does not exist`, {
      hint: 'COMPOSE_FILE names it, this version of the recipe lacks it',
    });
  }
  return parseCompose(name, text);
}

/** Reads one compose file. @throws InputError with file, line and column of the first fault */
export function parseCompose(name: string, text: string): ComposeSource {
  const lineCounter = new LineCounter();
  const document: Document = parseDocument(text, { lineCounter, merge: true });
  const place = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const [fault] = document.errors;
  if (fault) throw new InputError(`${place(fault.pos[0])}: ${firstLine(fault.message)}`);

  const locate = (path: readonly PropertyKey[]) => place(offsetOf(document, path));
  const parsed = composeFile.safeParse(document.toJS() ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path ?? [];
    throw new InputError(`${locate(path)}: ${path.join('.') || 'the file'}: ${issue?.message}`);
  }
  return { name, data: parsed.data, locate, has: (path) => document.hasIn(path) };
}

/** yaml's messages end with the place (which we say ourselves) and a picture of the line. */
const firstLine = (message: string) =>
  message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '';

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

/** Puts compose files together: later ones win, secrets of a service add up. */
export function mergeCompose(sources: readonly ComposeSource[]): Compose {
  const compose: Compose = { sources, services: new Map(), secrets: new Map() };
  for (const { data } of sources) {
    for (const [name, { image, secrets }] of Object.entries(data.services ?? {})) {
      const known = compose.services.get(name);
      const names = (secrets ?? []).map((item) => (typeof item === 'string' ? item : item.source));
      compose.services.set(name, {
        image: image ?? known?.image,
        secrets: [...new Set([...(known?.secrets ?? []), ...names])],
      });
    }
    for (const [key, value] of Object.entries(data.secrets ?? {})) {
      const legacy = typeof value?.external === 'object' ? value.external.name : undefined;
      const known = compose.secrets.get(key);
      compose.secrets.set(key, {
        name: value?.name ?? legacy ?? known?.name,
        file: value?.file !== undefined || (known?.file ?? false),
      });
    }
  }
  return compose;
}

const KEY_PATH = /\b((?:services|networks|volumes|secrets|configs)(?:\.[\w-]+)+)/;

/**
 * Docker's complaint about compose files with file, line and column in front, where it names a key path: Docker
 * merges the files and says only the path. The last file that has the path is the one that counts.
 */
export function locateComplaint(complaint: string, sources: readonly ComposeSource[]): string {
  const text = KEY_PATH.exec(complaint)?.[1];
  if (!text) return complaint;
  const additional = /Additional property (\S+) is not allowed/.exec(complaint)?.[1];
  const path = [...text.split('.'), ...(additional ? [additional] : [])];
  const source = sources.findLast((candidate) => candidate.has(path));
  return source ? `${source.locate(path)}: ${complaint}` : complaint;
}
