import type { Finding } from '@cc-ci/core';
import type { Healthcheck, Service } from './compose.js';
import { isDatabase } from './image.js';
import { inViews, type RecipeModel } from './model.js';
import { finding } from './rules.js';

/** Docker's, where the compose file says nothing. */
const DEFAULT_INTERVAL = '30s';
const DEFAULT_RETRIES = 3;
/** Seconds a database should have before it counts as unhealthy. */
const PATIENCE_S = 10;

/** Healthchecks: that there is one, and that it gives a database time for its first start. */
export function checkHealth(model: RecipeModel): Finding[] {
  return inViews(model, (compose) => [
    ...missing(compose.services.get('app')),
    ...[...compose.services.values()].flatMap(impatient),
  ]);
}

function missing(app: Service | undefined): Finding[] {
  if (!app || (app.healthcheck && !app.healthcheck.disabled)) return [];
  return [
    finding(
      'health-missing',
      'service app has no healthcheck, so that "converged" means only that its process runs; add one',
      app.healthcheck?.where ?? app.where,
    ),
  ];
}

function impatient({ name, image, healthcheck }: Service): Finding[] {
  if (!healthcheck || healthcheck.disabled || !image || !isDatabase(image.value)) return [];
  const seconds = patience(healthcheck);
  if (seconds === undefined || seconds >= PATIENCE_S) return [];
  return [
    finding(
      'health-impatient',
      `database service ${name} counts as unhealthy ${seconds} s after its first start; give its healthcheck a start_period`,
      healthcheck.where,
    ),
  ];
}

/** Seconds until a service that does not answer is unhealthy; undefined where it has a start period. */
function patience({ interval, retries, startPeriod }: Healthcheck): number | undefined {
  if (startPeriod !== undefined && (seconds(startPeriod) ?? 0) > 0) return undefined;
  const every = seconds(interval ?? DEFAULT_INTERVAL);
  return every === undefined ? undefined : every * (retries ?? DEFAULT_RETRIES);
}

const UNITS: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 };

/** Seconds of a duration of Go's, as `1m30s`; undefined where it is none. */
function seconds(duration: string): number | undefined {
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)/g)];
  if (parts.map(([part]) => part).join('') !== duration || parts.length === 0) return undefined;
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}
