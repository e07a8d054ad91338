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
  clone: z.strictObject({ disable: z.boolean().default(false) }).optional(),
  steps: z.array(step).default([]),
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

/**
 * Finds a pipeline in a `.drone.yml`, in which `${NAME}` stands for a variable before it is read as YAML, as the real
 * runner does it: text in braces is replaced, `$NAME` is left to the shell, `$${NAME}` means `${NAME}`.
 * @throws InputError when there is none of that name, or it asks for what this runner cannot do
 */
export function readPipeline(
  config: string,
  name: string,
  variables: Readonly<Record<string, string>>,
): Pipeline {
  const replaced = substitute(config, variables);
  for (const document of parseAllDocuments(replaced)) {
    const value: unknown = document.toJS();
    if (!isPipeline(value, name)) continue;
    const parsed = pipeline.safeParse(value);
    if (!parsed.success)
      throw new InputError(`.drone.yml, pipeline ${name}: ${z.prettifyError(parsed.error)}`);
    if (parsed.data.type !== 'exec') throw new InputError(`pipeline ${name} is not of type exec`);
    return parsed.data;
  }
  throw new InputError(`.drone.yml has no pipeline called ${name}`);
}

function isPipeline(value: unknown, name: string): boolean {
  const about = z.looseObject({ kind: z.string(), name: z.string().default('default') }).safeParse(value);
  return about.success && about.data.kind === 'pipeline' && about.data.name === name;
}

function substitute(config: string, variables: Readonly<Record<string, string>>): string {
  return config.replace(/(\$?)\$\{(\w+)\}/g, (whole, escaped: string, name: string) => {
    if (escaped) return whole.slice(1);
    const value = variables[name] ?? '';
    return value.includes('\n') ? JSON.stringify(value) : value;
  });
}
