import { hasPage } from './links.js';
import type { Run } from './model.js';
import type { Recipe } from './recipes.js';

/** Version of what `/api/` answers. */
const SCHEMA = 1;

/** `/api/recipes.json`: every recipe with its latest result and what goes on with it. */
export function recipesJson(recipes: readonly Recipe[]): string {
  return toJson({
    schema: SCHEMA,
    recipes: recipes.map((recipe) => ({
      name: recipe.name,
      runs: recipe.runs.length,
      latest: recipe.latest ? brief(recipe.latest) : null,
      active: recipe.active.map(brief),
    })),
  });
}

/** `/api/runs/<id>.json`: what the run's page is made of. */
export function runJson(run: Run): string {
  return toJson({ schema: SCHEMA, ...brief(run), evidence: run.evidence, stages: run.stages });
}

/** `/runs/<id>/record.json`: the run's own files, together; undefined when there is no readable record. */
export function recordJson(run: Run): string | undefined {
  if (!run.record) return undefined;
  const { plan, stages, summary } = run.record;
  return toJson({ run: run.id, plan, stages, summary: summary ?? null });
}

function brief(run: Run) {
  const { request } = run;
  return {
    id: run.id,
    status: run.status,
    sentence: run.sentence,
    blame: run.blame ?? null,
    recipe: request?.recipe ?? null,
    ref: request?.ref ?? null,
    repo: request?.repo ?? null,
    pr: request?.pr ?? null,
    requestedBy: request?.requestedBy ?? null,
    askedAt: run.time,
    startedAt: run.startedAt ?? null,
    finishedAt: run.finishedAt ?? null,
    position: run.build?.position ?? null,
    page: hasPage(run.id) ? `runs/${run.id}/` : null,
  };
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
