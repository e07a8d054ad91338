/** A value of a unit's section, as NixOS takes it. */
type Value = string | number | boolean | (string | number | boolean)[];

/** A service as our modules give it to NixOS. */
export interface Service {
  description: string;
  wantedBy: string[];
  wants: string[];
  requires: string[];
  after: string[];
  before: string[];
  environment: Record<string, string>;
  path: string[];
  restartTriggers: string[];
  unitConfig: Record<string, Value>;
  serviceConfig: Record<string, Value>;
}

export type Services = Record<string, Service>;

export interface Timer {
  wantedBy: string[];
  timerConfig: Record<string, Value>;
}

/** Units of the system itself that ours name. */
export const SYSTEM_UNITS = [
  'docker.service',
  'multi-user.target',
  'network.target',
  'network-online.target',
  'timers.target',
];

/** What is wrong with the order of services: names that are no unit, requirements that are not waited for, circles. */
export function orderProblems(services: Services): string[] {
  const names = Object.keys(services).map((name) => `${name}.service`);
  const known = new Set([...names, ...SYSTEM_UNITS]);
  const problems: string[] = [];
  for (const [name, { wants, requires, after, before, wantedBy }] of Object.entries(services)) {
    for (const unit of new Set([...wants, ...requires, ...after, ...before, ...wantedBy])) {
      if (!known.has(unit)) problems.push(`${name} names ${unit}, which is no unit`);
    }
    for (const unit of requires) {
      if (!after.includes(unit)) problems.push(`${name} requires ${unit} and does not wait for it`);
    }
    const circle = circleFrom(services, `${name}.service`);
    if (circle) problems.push(`${circle.join(' after ')}`);
  }
  return problems;
}

function circleFrom(services: Services, start: string): string[] | undefined {
  const visit = (unit: string, way: string[]): string[] | undefined => {
    if (way.length > 0 && unit === start) return [...way, unit];
    if (way.includes(unit)) return undefined;
    for (const next of services[unit.replace(/\.service$/, '')]?.after ?? []) {
      const found = visit(next, [...way, unit]);
      if (found) return found;
    }
    return undefined;
  };
  return visit(start, []);
}

/** The text of a unit, as NixOS writes it. */
export function unitText(service: Service): string {
  const { description, wants, requires, after, before, unitConfig, environment, path, serviceConfig } =
    service;
  const search = path.flatMap((it) => [`${it}/bin`]).join(':');
  const variables = { ...environment, ...(search ? { PATH: search } : {}) };
  return [
    '[Unit]',
    `Description=${description}`,
    ...lines({ Wants: wants, Requires: requires, After: after, Before: before }),
    ...lines(unitConfig),
    '',
    '[Service]',
    ...Object.entries(variables).map(([name, value]) => `Environment=${JSON.stringify(`${name}=${value}`)}`),
    ...lines(serviceConfig),
    '',
  ].join('\n');
}

/** The text of a timer. */
export function timerText({ timerConfig }: Timer): string {
  return ['[Timer]', ...lines(timerConfig), ''].join('\n');
}

function lines(section: Record<string, Value>): string[] {
  return Object.entries(section).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${key}=${String(one)}`),
  );
}
