/** The parts of an image's name: `registry/path:tag@digest`. */
export interface ImageName {
  /** With the registry, if any. */
  repository: string;
  /** Empty where there is none. */
  tag: string;
  digest: string;
}

export function parseImage(text: string): ImageName {
  const [name = '', digest = ''] = text.split('@');
  const [, repository = name, tag = ''] = /^(.*):([^/:]*)$/.exec(name) ?? [];
  return { repository, tag, digest };
}

/** Programs whose files must not be copied while they run. */
const DATABASES =
  /postgres|postgis|pgvect|pgautoupgrade|timescale|mariadb|mysql|percona|mongo|influxdb|clickhouse|cockroach|neo4j/;
/** What is built around databases and keeps no data of its own. */
const COMPANIONS = /backup|exporter|express|admin|proxy|pgbouncer|operator/;

/** Whether an image is a database's, as far as its name tells. */
export function isDatabase(image: string): boolean {
  const { repository } = parseImage(image.toLowerCase());
  return DATABASES.test(repository) && !COMPANIONS.test(repository);
}
