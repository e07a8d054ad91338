import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CcCiError, InputError, readJson } from '@cc-ci/core';
import { z } from 'zod';

const IMAGES_FOLDER = fileURLToPath(new URL('../../images/', import.meta.url));

const manifest = z.strictObject({
  /** What recipes call it; the first is the one the others are made from. */
  tags: z.tuple([z.string()], z.string()),
  /** The Debian package whose version is the image's. */
  package: z.string().optional(),
});

/** One image of the sandbox: a folder of `sandbox/images`. */
export interface ImageDefinition {
  name: string;
  folder: string;
  tags: readonly [string, ...string[]];
  package: string | undefined;
  /** Name of the image it is built on, or undefined for the base. */
  parent: string | undefined;
  /** Hash of everything in the folder and in its parents'. */
  hash: string;
}

/** All images of the sandbox by name, each after the one it is built on. */
export async function readDefinitions(root = IMAGES_FOLDER): Promise<Map<string, ImageDefinition>> {
  const names = (await readdir(root, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const raw = await Promise.all(names.map((name) => readOne(name, join(root, name))));
  const ordered = new Map<string, ImageDefinition>();
  const add = (one: (typeof raw)[number], children: readonly string[]) => {
    if (ordered.has(one.name)) return;
    if (children.includes(one.name)) throw new InputError(`image ${one.name} is built on itself`);
    const parent = raw.find((other) => other.tags.some((tag) => tag === one.from));
    if (one.from !== undefined && parent === undefined) {
      throw new InputError(`image ${one.name} is built on ${one.from}, which is none of the sandbox's`);
    }
    if (parent) add(parent, [...children, one.name]);
    const { from: _from, hash, ...rest } = one;
    const inherited = parent === undefined ? '' : (ordered.get(parent.name)?.hash ?? '');
    ordered.set(one.name, {
      ...rest,
      parent: parent?.name,
      hash: createHash('sha256').update(`${inherited}\n${hash}`).digest('hex'),
    });
  };
  for (const one of raw) add(one, []);
  return ordered;
}

async function readOne(name: string, folder: string) {
  const found = await readJson(join(folder, 'image.json'), manifest);
  if (!found) throw new CcCiError(`${folder} has no image.json`, { hint: 'see sandbox/images/README.md' });
  const dockerfile = await readFile(join(folder, 'Dockerfile'), 'utf8').catch(() => '');
  return {
    name,
    folder,
    tags: found.tags,
    package: found.package,
    from: /^FROM\s+(\S+)/m.exec(dockerfile)?.[1],
    hash: await hashFolder(folder),
  };
}

/** SHA-256 over the paths and contents of all files below a folder. */
export async function hashFolder(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    const content = await readFile(file);
    hash.update(`${file.slice(folder.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** The upstream part of a Debian version: 1.22.1 for 1:1.22.1-9+deb12u1, 3.1.8 for 3.1.8-2. */
export function upstreamVersion(packageVersion: string): string {
  return packageVersion
    .replace(/^\d+:/, '')
    .replace(/-[^-]*$/, '')
    .replace(/[+~](dfsg|ds|really|repack).*$/, '');
}

/** Whether a tag says of its image what is true: it names the version, or the beginning of it (nginx:1.22 of 1.22.1). */
export function claimsVersion(tag: string, version: string): boolean {
  const claimed = tag.split(':').at(-1) ?? '';
  return version === claimed || version.startsWith(`${claimed}.`);
}
