import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { InputError, run, tryLock } from '@cc-ci/core';
import { askApt } from './apt.js';
import { type BuildContext, buildBase, buildImage, HASH_LABEL, SOURCES_LABEL } from './build.js';
import { type ImageDefinition, readDefinitions } from './definitions.js';

export { type ImageDefinition, readDefinitions } from './definitions.js';

export interface EnsureImagesOptions {
  /** Called with a line for people whenever a build begins, ends or has something to say. */
  onProgress?: (line: string) => void;
  /** Ends running builds when aborted. */
  signal?: AbortSignal;
  /** The folder of image folders, if another than `sandbox/images`. */
  folder?: string;
}

/**
 * Builds those of the sandbox's images that are missing or whose folder has changed since, and what they are built on.
 * An image of the same name that was not built here (pulled from a registry, say) is left as it is and used.
 * @param names folders of `sandbox/images`; all of them when left out
 * @throws InputError for a name that has no folder
 */
export async function ensureImages(
  names?: readonly string[],
  options: EnsureImagesOptions = {},
): Promise<void> {
  const definitions = await readDefinitions(options.folder);
  const unknown = names?.find((name) => !definitions.has(name));
  if (unknown !== undefined) {
    throw new InputError(`there is no image ${unknown}`, {
      hint: `there are: ${[...definitions.keys()].join(', ')}`,
    });
  }
  const wanted = [...definitions.values()].filter(
    (image) => names === undefined || names.includes(image.name),
  );
  const missing = () => filterAsync(wanted, async (image) => !(await isCurrent(image)));
  if ((await missing()).length === 0) return;

  const say = options.onProgress ?? (() => {});
  const lock = await waitForLock(say, options.signal);
  try {
    // Whoever held the lock has probably built what we want.
    const still = await missing();
    if (still.length > 0) await buildAll(still, definitions, say, options.signal);
  } finally {
    lock.release();
  }
}

async function buildAll(
  images: ImageDefinition[],
  definitions: Map<string, ImageDefinition>,
  say: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const apt = await askApt();
  const sources = createHash('sha256').update(apt.sourcesList).update(apt.options.join()).digest('hex');
  const context: BuildContext = { apt, sources, say, signal };
  const builds = new Map<string, Promise<void>>();
  const build = (image: ImageDefinition): Promise<void> => {
    const known = builds.get(image.name) ?? buildOne(image);
    builds.set(image.name, known);
    return known;
  };
  const buildOne = async (image: ImageDefinition): Promise<void> => {
    const parent = image.parent === undefined ? undefined : definitions.get(image.parent);
    if (parent) await build(parent);
    // Archives that apt has moved away from would fail the builds upon an older base.
    if (await isCurrent(image, parent ? {} : { [SOURCES_LABEL]: sources })) return;
    const started = performance.now();
    const old = await imageOf(image.tags[0]);
    await (parent ? buildImage(image, context) : buildBase(image, context));
    // Refused while a container uses it: it is removed by whoever tidies up after that one.
    if (old) await run('docker', ['image', 'rm', old.id], { okCodes: [0, 1], timeoutMs: 30_000 });
    const size = Math.round(((await imageOf(image.tags[0]))?.size ?? 0) / 1e6);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say(`${image.tags[0]}: built in ${seconds} s, ${size} MB`);
  };
  await Promise.all(images.map(build));
}

/** Whether every tag of the image is there, built from what the folder now says, or not built here at all. */
async function isCurrent(image: ImageDefinition, labels: Record<string, string> = {}): Promise<boolean> {
  const found = await Promise.all(image.tags.map(imageOf));
  return found.every((there) => {
    if (!there) return false;
    if (there.labels[HASH_LABEL] === undefined) return true;
    const expected = { ...labels, [HASH_LABEL]: image.hash };
    return Object.entries(expected).every(([name, value]) => there.labels[name] === value);
  });
}

async function imageOf(tag: string) {
  const format = '{{.Id}} {{.Size}} {{json .Config.Labels}}';
  const answer = await run('docker', ['image', 'inspect', '--format', format, tag], {
    okCodes: [0, 1],
    timeoutMs: 30_000,
  });
  if (answer.exitCode === 1) {
    if (/no such image/i.test(answer.stderr)) return undefined;
    throw new Error(`docker image inspect ${tag}: ${answer.stderr.trim()}`);
  }
  const [id = '', size = '0', ...labels] = answer.stdout.trim().split(' ');
  return { id, size: Number(size), labels: (JSON.parse(labels.join(' ')) ?? {}) as Record<string, string> };
}

async function filterAsync<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<T[]> {
  const keep = await Promise.all(items.map(test));
  return items.filter((_, index) => keep[index]);
}

/** One machine builds once, however many programs ask at the same time. */
async function waitForLock(say: (line: string) => void, signal: AbortSignal | undefined) {
  const path = join(tmpdir(), `cc-ci-images-${process.getuid?.() ?? 0}.lock`);
  for (let tries = 0; ; tries++) {
    const lock = tryLock(path);
    if (lock) return lock;
    if (tries === 0) say('images: another process is building them, waiting');
    await delay(250, undefined, signal ? { signal } : {});
  }
}
