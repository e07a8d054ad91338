import { z } from 'zod';
import { HOOKS, type HookName, type RecipeSettings, recipeSettings } from './settings.js';

/** What a `recipe.ts` says, or what is wrong with it, one sentence a problem. */
export type Description = { settings: RecipeSettings; hooks: HookName[] } | { problems: string[] };

/** What the process that evaluates a `recipe.ts` leaves behind in its results file. */
export const recipeOutcome = z.union([
  z.strictObject({ settings: recipeSettings, hooks: z.array(z.enum(HOOKS)) }),
  /** It cannot be loaded, or is not a definition. */
  z.strictObject({ problems: z.array(z.string()) }),
  /** The hook ran, and threw this. */
  z.strictObject({ threw: z.string() }),
  z.strictObject({ done: z.literal(true) }),
]);
export type RecipeOutcome = z.output<typeof recipeOutcome>;

/** Checks what a `recipe.ts` exports as its default, strictly: a key that nobody knows is a mistake, not an extra. */
export function describeRecipe(definition: unknown): Description {
  if (definition === undefined)
    return { problems: ['has no default export; end it with: export default defineRecipe({ ... })'] };
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition))
    return { problems: ['its default export is not an object; write: export default defineRecipe({ ... })'] };
  const given = Object.fromEntries(Object.entries(definition).filter(([, value]) => value !== undefined));
  const hooks = HOOKS.filter((name) => name in given);
  const settings = Object.fromEntries(
    Object.entries(given).filter(([name]) => !hooks.some((hook) => hook === name)),
  );
  const parsed = recipeSettings.safeParse(settings);
  const problems = [
    ...(parsed.error?.issues ?? []).map(problemOf),
    ...hooks
      .filter((name) => typeof given[name] !== 'function')
      .map((name) => `${name}: expected a function`),
  ];
  if (!parsed.data || problems.length > 0) return { problems };
  return { settings: parsed.data, hooks };
}

function problemOf(issue: z.core.$ZodIssue): string {
  const where = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  if (issue.code === 'invalid_key') return `${where}${issue.issues[0]?.message ?? issue.message}`;
  if (issue.code !== 'unrecognized_keys') return `${where}${issue.message}`;
  const allowed = [...keysAt(recipeSettings, issue.path), ...(issue.path.length === 0 ? HOOKS : [])];
  const unknown = issue.keys.map((key) => `"${key}"`).join(', ');
  return `${where}unknown key ${unknown}; allowed: ${allowed.join(', ')}`;
}

/** The keys a schema knows at a path. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  const found = path.reduce<unknown>((at, part) => {
    const outer = unwrapped(at);
    if (outer instanceof z.ZodObject) return outer.shape[String(part)];
    if (outer instanceof z.ZodArray) return outer.element;
    return outer instanceof z.ZodRecord ? outer.valueType : undefined;
  }, schema);
  const inner = unwrapped(found);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  if (inner instanceof z.ZodRecord && inner.keyType instanceof z.ZodEnum)
    return inner.keyType.options.map(String);
  return [];
}

function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return unwrapped(schema.unwrap());
  return schema;
}
