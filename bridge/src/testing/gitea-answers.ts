/**
 * Answers recorded from Gitea 1.23.8 (read by a bot that is in a read-only team), with the fields nobody reads cut
 * away from users and repositories.
 */

export const ALICE = {
  id: 3,
  login: 'alice',
  login_name: '',
  full_name: '',
  email: 'alice@noreply.localhost',
  last_login: '0001-01-01T00:00:00Z',
  created: '2026-11-21T08:30:44Z',
  username: 'alice',
};

export const BOT = { ...ALICE, id: 2, login: 'bot', email: 'bot@x.test', active: true, username: 'bot' };

const BASE_REPO = {
  id: 1,
  name: 'custom-html',
  full_name: 'coop-cloud/custom-html',
  private: false,
  fork: false,
  parent: null,
  html_url: 'http://127.0.0.1:40457/coop-cloud/custom-html',
  ssh_url: 'nobody@localhost:coop-cloud/custom-html.git',
  clone_url: 'http://127.0.0.1:40457/coop-cloud/custom-html.git',
  default_branch: 'main',
  permissions: { admin: false, push: false, pull: true },
  object_format_name: 'sha1',
  licenses: null,
};

export const COMMENT = {
  id: 2,
  html_url: 'http://127.0.0.1:40457/coop-cloud/custom-html/pulls/1#issuecomment-2',
  pull_request_url: 'http://127.0.0.1:40457/coop-cloud/custom-html/pulls/1',
  issue_url: '',
  user: ALICE,
  original_author: '',
  original_author_id: 0,
  body: ' !testme\n',
  assets: [],
  created_at: '2026-11-21T08:30:45Z',
  updated_at: '2026-11-21T08:30:45Z',
};

/** As `GET /repos/issues/search` lists the pull request; put together from the source of 1.23.8, not recorded. */
export const ISSUE = {
  id: 1,
  url: 'http://127.0.0.1:40457/api/v1/repos/coop-cloud/custom-html/issues/1',
  html_url: 'http://127.0.0.1:40457/coop-cloud/custom-html/pulls/1',
  number: 1,
  user: ALICE,
  original_author: '',
  original_author_id: 0,
  title: 'Fix',
  body: '',
  ref: '',
  assets: [],
  labels: [],
  milestone: null,
  assignee: null,
  assignees: null,
  state: 'open',
  is_locked: false,
  comments: 1,
  created_at: '2026-11-21T08:30:45Z',
  updated_at: '2026-11-21T08:30:45Z',
  closed_at: null,
  due_date: null,
  pull_request: {
    merged: false,
    merged_at: null,
    draft: false,
    html_url: 'http://127.0.0.1:40457/coop-cloud/custom-html/pulls/1',
  },
  repository: { id: 1, name: 'custom-html', owner: 'coop-cloud', full_name: 'coop-cloud/custom-html' },
  pin_order: 0,
};

/** As `GET /orgs/{org}/repos` lists the repository, likewise. */
export const REPOSITORY = { ...BASE_REPO, archived: false, updated_at: '2026-11-21T08:30:44Z' };

export const PULL = {
  id: 1,
  url: 'http://127.0.0.1:40457/coop-cloud/custom-html/pulls/1',
  number: 1,
  user: ALICE,
  title: 'Fix',
  body: '',
  labels: [],
  milestone: null,
  state: 'open',
  draft: false,
  is_locked: false,
  mergeable: true,
  merged: false,
  merged_at: null,
  merge_commit_sha: null,
  merged_by: null,
  base: {
    label: 'main',
    ref: 'main',
    sha: '4990b7e31b6889c775d8884623f572cac501cdb2',
    repo_id: 1,
    repo: BASE_REPO,
  },
  head: {
    label: 'fix',
    ref: 'fix',
    sha: 'b9289eaa9e8d5afafd492b572e536fcc61fd9b0b',
    repo_id: 2,
    repo: {
      ...BASE_REPO,
      id: 2,
      full_name: 'alice/custom-html',
      fork: true,
      parent: BASE_REPO,
      clone_url: 'http://127.0.0.1:40457/alice/custom-html.git',
    },
  },
  merge_base: '4990b7e31b6889c775d8884623f572cac501cdb2',
  due_date: null,
  closed_at: null,
};

export const STATUS = {
  id: 1,
  status: 'pending',
  target_url: 'http://ci.test/runs/abcd1234/',
  description: 'asked for with !testme',
  url: 'http://127.0.0.1:40457/api/v1/repos/coop-cloud/custom-html/statuses/b9289eaa9e8d5afafd492b572e536fcc61fd9b0b',
  context: 'cc-ci/testme',
  creator: BOT,
  created_at: '2026-11-21T08:30:45Z',
  updated_at: '2026-11-21T08:30:45Z',
};

export const NOT_FOUND = {
  errors: null,
  message: "The target couldn't be found.",
  url: 'http://127.0.0.1:40457/api/swagger',
};

export const FORBIDDEN = {
  message:
    'token does not have at least one of required scope(s), required=[write:repository], token scope=read:organization,write:issue,read:repository,read:user',
  url: 'http://127.0.0.1:40457/api/swagger',
};
