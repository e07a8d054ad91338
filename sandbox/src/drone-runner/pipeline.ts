import { InputError } from '@cc-ci/core';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const words = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));
const environment = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));

// Strict where something could be asked for that this runner would not do.
const step = z.strictObject({
  name: z.string().min(1),
  commands: z.array(z.string()).default([]),
  environment: environment.default({}),
  failure: z.enum(['ignore', 'always', 'fast']).optional(),
  when: z.strictObject({ status: words }).optional(),
});
const pipeline = z.looseObject({
  kind: z.literal('pipeline'),
  type: z.string(),
  name: z.string().default('default'),
  trigger: z.looseObject({ event: words.optional() }).optional(),
  clone: z.strictObject({ disable: z.boolean().default(false) }).optional(),
  steps: z
    .array(step)
    .default([])
    .refine((steps) => new Set(steps.map(({ name }) => name)).size === steps.length, 'two steps of one name'),
});

/** A pipeline of type exec. */
export type Pipeline = z.output<typeof pipeline>;
/** One of its steps. */
export type PipelineStep = Pipeline['steps'][number];

/** What a step's turn depends on: how those before it ended. */
export type RunPolicy = 'always' | 'success' | 'failure';

/** When a step runs: after success unless it says otherwise. */
export function runPolicy({ when }: Pick<PipelineStep, 'when'>): RunPolicy {
  const statuses = when?.status ?? ['success'];
  if (!statuses.includes('failure')) return 'success';
  return statuses.includes('success') ? 'always' : 'failure';
}

/** Whether a step is run in a pipeline that has (not) failed so far. */
export function isDue(step: Pick<PipelineStep, 'when'>, failed: boolean): boolean {
  const policy = runPolicy(step);
  return policy === 'always' || (policy === 'failure') === failed;
}

/**
 * Finds a pipeline in a `.drone.yml`, in which `${NAME}` stands for a variable before it is read as YAML, as the real
 * runner does it: text in braces is replaced, `$NAME` is left to the shell, `$${NAME}` means `${NAME}`.
 * @param name undefined: the first there is
 * @throws InputError when there is none of that name, or it asks for what this runner cannot do
 */
export function readPipeline(
  config: string,
  name: string | undefined,
  variables: Readonly<Record<string, string>>,
): Pipeline {
  const replaced = substitute(config, variables);
  for (const document of parseAllDocuments(replaced)) {
    const value: unknown = document.toJS();
    if (!isPipeline(value, name)) continue;
    const parsed = pipeline.safeParse(value);
    if (!parsed.success)
      throw new InputError(`.drone.yml, pipeline ${name ?? ''}: ${z.prettifyError(parsed.error)}`);
    if (parsed.data.type !== 'exec') throw new InputError(`pipeline ${parsed.data.name} is not of type exec`);
    return parsed.data;
  }
  throw new InputError(`.drone.yml has no pipeline${name === undefined ? '' : ` called ${name}`}`);
}

function isPipeline(value: unknown, name: string | undefined): boolean {
  const about = z.looseObject({ kind: z.string(), name: z.string().default('default') }).safeParse(value);
  return about.success && about.data.kind === 'pipeline' && (name ?? about.data.name) === about.data.name;
}

function substitute(config: string, variables: Readonly<Record<string, string>>): string {
  return config.replace(/(\$?)\$\{(\w+)\}/g, (whole, escaped: string, name: string) => {
    if (escaped) return whole.slice(1);
    const value = variables[name] ?? '';
    return value.includes('\n') ? JSON.stringify(value) : value;
  });
}
