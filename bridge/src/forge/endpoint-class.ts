/** Words of the API itself. Whatever else stands in a path is a name, a number or a commit, of which there is no end. */
const WORDS: ReadonlySet<string> = new Set(
  `activities assignees branches collaborators comments commits contents feeds files hooks issues labels members notifications
   orgs public_members pulls repos reviews search settings status statuses subscribers teams timeline topics user users
   version`.split(/\s+/),
);

/** How many names follow the first word: `/repos/{owner}/{name}/…`. */
const NAMES_AFTER: Record<string, number> = { repos: 2, orgs: 1, users: 1, teams: 1 };

/**
 * The endpoint a path of the API belongs to, without anything that names somebody or something: there are few of them,
 * and a metric has a series for each. `/repos/issues/search` is the only one whose names are words.
 */
export function endpointClass(path: string): string {
  const [first = '', ...rest] = path.replace(/\?.*$/, '').split('/').slice(1);
  if (first === 'repos' && (rest[0] === 'search' || rest.join('/') === 'issues/search')) {
    return `/repos/${rest.join('/')}`;
  }
  const names = NAMES_AFTER[first] ?? 0;
  return ['', wordOf(first), ...rest.map((part, index) => (index < names ? ':name' : wordOf(part)))].join(
    '/',
  );
}

function wordOf(part: string): string {
  return WORDS.has(part) ? part : ':value';
}
