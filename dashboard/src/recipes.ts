import { isActive, type Run } from './model.js';

/** One recipe and its runs. */
export interface Recipe {
  name: string;
  /** All runs, the newest first. */
  runs: readonly Run[];
  /** The newest run of all stages that has ended: what the recipe's state is. */
  latest: Run | undefined;
  /** Its level, from the newest run that has one. */
  level: { value: number; scale: number; missing?: string | undefined; run: Run } | undefined;
  /** Runs that have not ended. */
  active: readonly Run[];
}

/** A recipe of these runs, the newest first. */
export function recipeOf(name: string, runs: readonly Run[]): Recipe {
  const ended = runs.filter((run) => !isActive(run));
  const levelled = ended.find((run) => run.facts?.level);
  const level = levelled?.facts?.level;
  return {
    name,
    runs,
    latest: ended.find((run) => !run.facts?.partial) ?? ended[0],
    level: level && levelled ? { ...level, run: levelled } : undefined,
    active: runs.filter(isActive),
  };
}

/**
 * The runs by recipe, in the order of names. Runs of which not even the recipe is known belong to none.
 * @param runs the newest first
 */
export function groupByRecipe(runs: readonly Run[]): Recipe[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const name = run.recipe;
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group) group.push(run);
    else groups.set(name, [run]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, members]) => recipeOf(name, members));
}

/** Active runs in the order they go on: what runs first, then the queue by place. */
export function inProgress(runs: readonly Run[]): Run[] {
  const place = (run: Run) =>
    run.status === 'running' ? 0 : (run.build?.position ?? Number.MAX_SAFE_INTEGER);
  return runs.filter(isActive).sort((a, b) => place(a) - place(b) || a.time.localeCompare(b.time));
}
