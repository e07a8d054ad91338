import type { Finding } from '@cc-ci/core';

/** One rule of the static lint. */
export interface Rule {
  /** As findings name it. */
  rule: string;
  severity: Finding['severity'];
  /** What must hold (for a note: what is named). */
  title: string;
  why: string;
}

/** Every rule, by topic; the table of docs/lint.md is this one. */
export const RULES = [
  {
    rule: 'compose-default',
    severity: 'error',
    title: 'The compose files that `.env.sample` switches on can be deployed together',
    why: 'Everybody starts with them.',
  },
  {
    rule: 'compose-option',
    severity: 'error',
    title: 'Each single option of `.env.sample` can be added to them',
    why: 'An option is found out to be broken by whoever switches it on first.',
  },
  {
    rule: 'compose-options-together',
    severity: 'warning',
    title: 'Options can be combined',
    why: 'They may exclude each other on purpose; then `.env.sample` should say so.',
  },
  {
    rule: 'compose-combinations-capped',
    severity: 'note',
    title: 'Not every combination of options was tried',
    why: 'Their number doubles with every option.',
  },
  {
    rule: 'compose-not-offered',
    severity: 'note',
    title: 'A compose file that no line of `.env.sample` offers',
    why: 'Nobody learns of it, and nothing here tests it.',
  },
  {
    rule: 'compose-parser-missing',
    severity: 'note',
    title: "Docker's own parser was not asked",
    why: 'The Docker client has no `docker stack config`; only our own checks were made.',
  },
  {
    rule: 'env-sample-missing',
    severity: 'error',
    title: 'There is an `.env.sample`',
    why: '`abra app new` makes the app of it.',
  },
  {
    rule: 'env-variable-unknown',
    severity: 'error',
    title: 'Variables without a default are in `.env.sample` or exported by `abra.sh`',
    why: 'Docker puts nothing in their place, and no operator knows of them.',
  },
  {
    rule: 'env-variable-commented-out',
    severity: 'warning',
    title: 'Variables that names, images or `:?` need are not commented out in `.env.sample`',
    why: 'A fresh app has no value for them.',
  },
  {
    rule: 'version-label',
    severity: 'error',
    title: 'The service app has the label `coop-cloud.${STACK_NAME}.version=<semver>+<app version>`',
    why: 'abra reads from it which version is deployed.',
  },
  {
    rule: 'version-published',
    severity: 'note',
    title: 'The label names a published version, and the compose files have changed since',
    why: 'Usual in a pull request: the release gives the change a version of its own.',
  },
  {
    rule: 'tag-lightweight',
    severity: 'error',
    title: 'Tags are annotated',
    why: 'abra refuses every deploy of a recipe that has a lightweight tag.',
  },
  {
    rule: 'tag-malformed',
    severity: 'warning',
    title: 'Tags have the form `<semver>+<app version>`',
    why: 'abra passes over others: that version cannot be chosen.',
  },
  {
    rule: 'name-too-long',
    severity: 'error',
    title: 'Names of secrets and configs leave 20 characters for the stack',
    why: 'Docker ends them at 64; a usual domain does not fit any more.',
  },
  {
    rule: 'name-long',
    severity: 'warning',
    title: 'Names of secrets and configs leave 30 characters for the stack',
    why: 'A longer domain does not fit any more.',
  },
  {
    rule: 'image-unpinned',
    severity: 'error',
    title: 'Images have a tag or digest, and it is not `latest`',
    why: 'Each deploy may bring another program than the one that was tested.',
  },
  {
    rule: 'image-moving',
    severity: 'warning',
    title: 'Tags of images name a version',
    why: '`stable`, `main`, `alpine` and the like move on by themselves.',
  },
  {
    rule: 'backup-none',
    severity: 'note',
    title: 'The recipe has volumes and no backup',
    why: 'There is nothing for the backup stage to test.',
  },
  {
    rule: 'backup-label-misplaced',
    severity: 'warning',
    title: 'Backup labels are under `deploy.labels`',
    why: 'The backup bot reads the labels of services, not those of containers.',
  },
  {
    rule: 'backup-labels-mixed',
    severity: 'error',
    title: 'Backup labels are of version 1 or of version 2, not of both',
    why: 'Each bot passes over the other’s: one of them keeps less than it seems.',
  },
  {
    rule: 'backup-volume-unknown',
    severity: 'error',
    title: 'Backup labels name volumes that are declared and mounted',
    why: 'A label about another volume does nothing.',
  },
  {
    rule: 'backup-path-outside',
    severity: 'error',
    title: '`backupbot.backup.path` lies on a volume of its service',
    why: 'What lies in the container itself is gone with it.',
  },
  {
    rule: 'backup-dump-outside',
    severity: 'error',
    title: 'Dumps are written into a volume',
    why: 'The backup bot reads volumes; a file in the container itself is never seen.',
  },
  {
    rule: 'backup-dump-left-out',
    severity: 'error',
    title: 'Dumps are among the paths that are backed up',
    why: 'The dump is made and not kept.',
  },
  {
    rule: 'backup-dump-removed',
    severity: 'error',
    title: 'Pre-hooks leave the dump they made',
    why: 'Files are read after the pre-hook; removing the dump belongs into the post-hook, which comes after.',
  },
  {
    rule: 'backup-no-dump',
    severity: 'error',
    title: 'Databases whose volume is backed up make a dump',
    why: 'Files of a running database, copied one after another, need not fit together.',
  },
  {
    rule: 'backup-no-restore',
    severity: 'error',
    title: 'A dump has a restore hook that loads it',
    why: 'Otherwise a restore brings back a file, not the data.',
  },
  {
    rule: 'network-generic-alias',
    severity: 'error',
    title: 'No generic alias on the network proxy',
    why: 'Every app of the server is on it: the name leads to all who took it.',
  },
  {
    rule: 'network-generic-name',
    severity: 'warning',
    title: 'Services on the network proxy call each other `${STACK_NAME}_<service>`',
    why: 'A bare `app` is every app on that network.',
  },
  {
    rule: 'health-missing',
    severity: 'warning',
    title: 'The service app has a healthcheck',
    why: 'Without it, converged means only that a process runs.',
  },
  {
    rule: 'health-impatient',
    severity: 'note',
    title: 'A database gets less than 10 s for its first start',
    why: 'Making a new database takes longer than a start; a killed one may leave its volume half made.',
  },
  {
    rule: 'host-docker-socket',
    severity: 'note',
    title: 'Docker’s socket is mounted',
    why: 'Whoever has it is root on the server.',
  },
  {
    rule: 'host-bind',
    severity: 'note',
    title: 'A path of the server is mounted',
    why: 'It must be there on every server, and what is in it is no secret to the app.',
  },
  {
    rule: 'host-privileged',
    severity: 'note',
    title: 'Privileged mode is asked for',
    why: 'Nothing is left between the container and the server.',
  },
  {
    rule: 'host-capability',
    severity: 'note',
    title: 'Capabilities are added',
    why: 'The container may do more to the server than others.',
  },
  {
    rule: 'host-network',
    severity: 'note',
    title: 'The network of the server is used',
    why: 'The container meets whatever listens there.',
  },
  {
    rule: 'host-port',
    severity: 'note',
    title: 'Ports are published on the server',
    why: 'Only one app of a server can have each.',
  },
] as const satisfies readonly Rule[];

export type RuleName = (typeof RULES)[number]['rule'];

const SEVERITY = new Map<string, Finding['severity']>(RULES.map(({ rule, severity }) => [rule, severity]));

/** A finding of a rule, of the severity the table gives it. */
export function finding(rule: RuleName, message: string, where?: string): Finding {
  const severity = SEVERITY.get(rule) ?? 'error';
  return { rule, severity, message, ...(where === undefined ? {} : { where }) };
}

/** Each finding once: combinations have most of their services in common. */
export function once(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((found) => [JSON.stringify(found), found])).values()];
}

/** The table of docs/lint.md. */
export function rulesTable(): string {
  const rows = RULES.map(
    ({ rule, severity, title, why }) => `| \`${rule}\` | ${severity} | ${title} | ${why} |`,
  );
  return [
    '| rule | severity | what must hold, or what is named | why |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
