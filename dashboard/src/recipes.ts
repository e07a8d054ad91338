import { isActive, type Run } from './model.js';

/** One recipe and its runs. */
export interface Recipe {
  name: string;
  /** All runs, the newest first. */
  runs: readonly Run[];
  /** The newest run that has ended: what the recipe's state is. */
  latest: Run | undefined;
  /** Runs that have not ended. */
  active: readonly Run[];
}

/**
 * The runs by recipe, in the order of names. Runs of which not even the recipe is known belong to none.
 * @param runs the newest first
 */
export function groupByRecipe(runs: readonly Run[]): Recipe[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const name = run.request?.recipe;
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group) group.push(run);
    else groups.set(name, [run]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, members]) => ({
      name,
      runs: members,
      latest: members.find((run) => !isActive(run)),
      active: members.filter(isActive),
    }));
}

/** Active runs in the order they go on: what runs first, then the queue by place. */
export function inProgress(runs: readonly Run[]): Run[] {
  const place = (run: Run) =>
    run.status === 'running' ? 0 : (run.build?.position ?? Number.MAX_SAFE_INTEGER);
  return runs.filter(isActive).sort((a, b) => place(a) - place(b) || a.time.localeCompare(b.time));
}
