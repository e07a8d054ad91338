import { type Forge, ownerById, rootUrl } from '../forge.js';
import { type Org, type Owner, type Team, UNITS } from '../model.js';

/** A time as Gitea writes it: RFC 3339 in whole seconds. */
export function timestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

// What Gitea writes for a time that never was.
const NEVER = '1970-01-01T00:00:00Z';

/**
 * A user or organisation as others see it; `full` adds what only the user and administrators see. An e-mail address
 * is shown to nobody else.
 */
export function userJson(forge: Forge, owner: Owner, detail: 'brief' | 'full' = 'brief') {
  const user = detail === 'full' && owner.kind === 'user' ? owner : undefined;
  return {
    id: owner.id,
    login: owner.login,
    login_name: '',
    source_id: 0,
    full_name: owner.fullName,
    email: user?.email ?? (owner.kind === 'org' ? '' : `${owner.login.toLowerCase()}@noreply.localhost`),
    avatar_url: '',
    html_url: `${rootUrl(forge)}/${owner.login}`,
    language: '',
    is_admin: user?.admin ?? false,
    last_login: NEVER,
    created: timestamp(owner.created),
    restricted: false,
    active: user !== undefined,
    prohibit_login: false,
    location: '',
    website: '',
    description: owner.kind === 'org' ? owner.description : '',
    visibility: owner.visibility,
    followers_count: 0,
    following_count: 0,
    starred_repos_count: 0,
    username: owner.login,
  };
}

export function orgJson(org: Org) {
  return {
    id: org.id,
    name: org.login,
    full_name: org.fullName,
    email: '',
    avatar_url: '',
    description: org.description,
    website: '',
    location: '',
    visibility: org.visibility,
    repo_admin_change_team_access: false,
    username: org.login,
  };
}

/** A team; lists leave its organisation out. */
export function teamJson(forge: Forge, team: Team, detail: 'alone' | 'listed') {
  const org = ownerById(forge, team.orgId);
  return {
    id: team.id,
    name: team.name,
    description: team.description,
    organization: detail === 'alone' && org.kind === 'org' ? orgJson(org) : null,
    includes_all_repositories: team.allRepositories,
    permission: team.permission,
    units: UNITS.filter((unit) => team.units[unit] !== undefined),
    units_map: team.units,
    can_create_org_repo: team.canCreateRepositories,
  };
}
