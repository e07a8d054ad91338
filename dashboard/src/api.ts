import { type RunBrief, type RunRecord, reportJson, runBrief, statesOf } from '@cc-ci/core/reading';
import { hasPage } from './links.js';
import type { Run } from './model.js';
import type { Recipe } from './recipes.js';

/** Version of the form of `/api/recipes.json`. */
const SCHEMA = 1;

/** `/api/recipes.json`: every recipe with its level, its latest result and what goes on with it. */
export function recipesJson(recipes: readonly Recipe[]): string {
  return toJson({
    schema: SCHEMA,
    recipes: recipes.map((recipe) => ({
      name: recipe.name,
      level: recipe.level?.value ?? null,
      version: versionOf(recipe) ?? null,
      runs: recipe.runs.length,
      latest: recipe.latest ? itemOf(recipe.latest) : null,
      active: recipe.active.map(itemOf),
    })),
  });
}

/** The latest published version a run has seen. */
export function versionOf({ runs }: Recipe): string | undefined {
  return runs.find((run) => run.facts?.base !== undefined)?.facts?.base;
}

/** `report.json` of a run whose runner has left none, and `/api/runs/<id>.json`: everything known of it. */
export function runJson(run: Run, record: RunRecord | undefined, evidence: readonly string[]): string {
  return reportJson(briefOf(run), evidence, record ?? {});
}

/** A run as a list has it. */
function itemOf(run: Run) {
  return {
    ...briefOf(run),
    page: hasPage(run.id) ? `runs/${run.id}/` : null,
  };
}

function briefOf(run: Run): RunBrief {
  const { id, status, sentence, blame, request, time: askedAt, startedAt, finishedAt, facts, build } = run;
  const known = { id, status, sentence, blame, request, askedAt, startedAt, finishedAt };
  const states = statesOf(facts?.stages ?? []);
  return runBrief({ ...known, level: facts?.level, position: build?.position, states });
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
