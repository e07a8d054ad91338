import { allows, unitAccess } from '../access.js';
import { type Forge, fullName, ownerById, rootUrl } from '../forge.js';
import type { Repository, User } from '../model.js';
import { timestamp, userJson } from './people-json.js';

type RepositoryJson = ReturnType<typeof oneJson> & { parent: ReturnType<typeof oneJson> | null };

/** A repository as somebody sees it; a fork with the repository it came from. */
export function repositoryJson(
  forge: Forge,
  repository: Repository,
  viewer: User | undefined,
): RepositoryJson {
  const parent = repository.parentId === undefined ? undefined : forge.repositories.get(repository.parentId);
  return {
    ...oneJson(forge, repository, viewer),
    parent: parent ? oneJson(forge, parent, viewer) : null,
  };
}

function oneJson(forge: Forge, repository: Repository, viewer: User | undefined) {
  const name = fullName(forge, repository);
  const code = unitAccess(forge, viewer, repository, 'repo.code');
  const pulls = [...forge.pulls.values()].filter((it) => it.repoId === repository.id && it.state === 'open');
  const forks = [...forge.repositories.values()].filter((it) => it.parentId === repository.id);
  return {
    id: repository.id,
    owner: userJson(forge, ownerById(forge, repository.ownerId)),
    name: repository.name,
    full_name: name,
    description: repository.description,
    empty: ![...repository.refs.keys()].some((ref) => ref.startsWith('refs/heads/')),
    private: repository.private,
    fork: repository.parentId !== undefined,
    template: false,
    mirror: false,
    archived: false,
    html_url: `${rootUrl(forge)}/${name}`,
    url: `${rootUrl(forge)}/api/v1/repos/${name}`,
    clone_url: `${rootUrl(forge)}/${name}.git`,
    original_url: '',
    website: '',
    forks_count: forks.length,
    open_issues_count: 0,
    open_pr_counter: pulls.length,
    default_branch: repository.defaultBranch,
    created_at: timestamp(repository.created),
    updated_at: timestamp(repository.updated),
    permissions: {
      admin: allows(code, 'admin'),
      push: allows(code, 'write'),
      pull: allows(code, 'read'),
    },
    has_issues: false,
    has_wiki: false,
    has_pull_requests: true,
    has_releases: false,
    has_actions: false,
    object_format_name: 'sha1',
    topics: [],
  };
}
