import { stat, writeFile } from 'node:fs/promises';
import { type Artifact, describeError, InputError, type Redactor, redactFile } from '@cc-ci/core';
import { redactorFor, type StageContext } from '../context.js';
import type { Attachment } from './result-lines.js';
import { redactTrace } from './trace.js';

/** Where the kinds of what a test leaves behind are kept, below the run's folder. */
export const ARTIFACT_FOLDERS: Record<Artifact['kind'], string> = {
  screenshot: 'screenshots',
  trace: 'traces',
  log: 'console',
};

/** In bytes. */
const LARGEST_LOG = 10 * 1024 * 1024;

/** What an attachment is kept as; undefined: not at all. */
export function artifactKind({ name, contentType }: Attachment): Artifact['kind'] | undefined {
  if (contentType.startsWith('image/')) return 'screenshot';
  if (name === 'trace') return 'trace';
  return contentType.startsWith('text/plain') ? 'log' : undefined;
}

/**
 * Writes a trace or a log without the run's secrets. What cannot be kept is noted: it makes no test fail.
 * @returns whether `target` was written
 */
export async function keepRedacted(
  context: StageContext,
  title: string,
  attachment: Attachment,
  target: string,
): Promise<boolean> {
  const redactor = redactorFor(context.secrets);
  try {
    if (artifactKind(attachment) === 'trace') await keepTrace(attachment, target, redactor);
    else await keepLog(attachment, target, redactor);
    return true;
  } catch (error) {
    await context.stage.note(`${attachment.name} of "${title}" withheld: ${describeError(error)}`);
    return false;
  }
}

async function keepTrace({ path }: Attachment, target: string, redactor: Redactor): Promise<void> {
  if (path === undefined) throw new InputError('a trace comes as a file');
  await redactTrace(path, target, redactor);
}

async function keepLog({ path, body = '' }: Attachment, target: string, redactor: Redactor): Promise<void> {
  if (path === undefined) {
    await writeFile(target, redactor.text(Buffer.from(body, 'base64').toString('utf8')));
    return;
  }
  if ((await stat(path)).size > LARGEST_LOG)
    throw new InputError(`it has more than ${LARGEST_LOG / 1024 / 1024} MB`);
  await redactFile(path, target, redactor);
}
