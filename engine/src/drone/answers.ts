import { z } from 'zod';

/** Seconds since 1970; 0 where it has not happened. */
const instant = z.number().int().nonnegative();

const step = z.object({
  number: z.number().int(),
  name: z.string(),
  status: z.string(),
  error: z.string().optional(),
  exit_code: z.number().int(),
  started: instant.optional(),
});
export type DroneStep = z.output<typeof step>;

const stage = z.object({
  number: z.number().int(),
  name: z.string(),
  status: z.string(),
  error: z.string().optional(),
  started: instant,
  steps: z.array(step).nullish(),
});

/** A build as `GET /api/repos/{owner}/{name}/builds/{number}` tells it; lists leave `stages` out (core/build.go). */
export const droneBuild = z.object({
  number: z.number().int(),
  status: z.string(),
  error: z.string().optional(),
  params: z.record(z.string(), z.string()).nullish(),
  created: instant,
  started: instant,
  finished: instant,
  stages: z.array(stage).nullish(),
});
export type DroneBuild = z.output<typeof droneBuild>;

/** One write of a step's output: a line with its newline as a rule, but a long one may come in pieces (livelog). */
export const droneLine = z.object({ pos: z.number().int(), out: z.string() });
export type DroneLine = z.output<typeof droneLine>;

/** `timeout` in minutes: the runner kills a build that takes longer. */
export const droneRepo = z.object({ slug: z.string(), active: z.boolean(), timeout: z.number() });
export type DroneRepo = z.output<typeof droneRepo>;

/** Drone's words for a build, stage or step that has not ended, and for those among them that have not begun. */
const WAITING = ['pending', 'blocked', 'waiting_on_dependencies'];

export function isWaiting(status: string): boolean {
  return WAITING.includes(status);
}

export function hasEnded(status: string): boolean {
  return status !== 'running' && !isWaiting(status);
}

/** A step and the number of the stage it belongs to. */
export type PlacedStep = DroneStep & { stage: number };

/** All steps of a build in the order they run. */
export function stepsOf(build: DroneBuild): PlacedStep[] {
  return (build.stages ?? [])
    .toSorted((a, b) => a.number - b.number)
    .flatMap(({ number, steps }) =>
      (steps ?? []).toSorted((a, b) => a.number - b.number).map((it) => ({ ...it, stage: number })),
    );
}
