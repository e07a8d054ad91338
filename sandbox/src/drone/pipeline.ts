import { parse } from 'yaml';
import { z } from 'zod';

const status = z.enum(['success', 'failure']);
const condition = z.union([
  z.array(status),
  z.object({ include: z.array(status) }).transform((it) => it.include),
]);

const pipeline = z.object({
  kind: z.literal('pipeline'),
  type: z.literal('exec'),
  name: z.string().default('default'),
  platform: z.object({ os: z.literal('linux') }),
  clone: z.object({ disable: z.boolean().default(false) }).default({ disable: false }),
  concurrency: z.object({ limit: z.number().int().min(1) }).optional(),
  trigger: z.object({ event: z.array(z.string()) }).optional(),
  steps: z
    .array(
      z.object({
        name: z.string(),
        commands: z.array(z.string()),
        environment: z.record(z.string(), z.string()).default({}),
        when: z.object({ status: condition.optional() }).default({}),
      }),
    )
    .min(1),
});
export type Pipeline = z.output<typeof pipeline>;
export type PipelineStep = Pipeline['steps'][number];

/**
 * An exec pipeline as `.drone.yml` describes it, as far as the stand-in knows the form.
 * @throws Error when it is not one
 */
export function parsePipeline(text: string): Pipeline {
  const parsed = pipeline.safeParse(parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(z.prettifyError(parsed.error));
}

/** Whether a step is run in a pipeline that has (not) failed so far. */
export function isDue({ when }: PipelineStep, failed: boolean): boolean {
  return (when.status ?? ['success']).includes(failed ? 'failure' : 'success');
}
