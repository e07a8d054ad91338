import { type Forge, fullName, ownerById, rootUrl } from '../forge.js';
import type { Comment, Pull, Repository, Status } from '../model.js';
import { type Html, html } from './html.js';
import { type Crumb, moment, page, tag } from './layout.js';
import { markdown } from './markdown.js';

function pathOf(forge: Forge, repository: Repository): string {
  return `/${fullName(forge, repository)}`;
}

function crumbs(forge: Forge, repository: Repository): Crumb[] {
  return [[fullName(forge, repository), pathOf(forge, repository)]];
}

function rows(items: readonly Html[], none: string): Html {
  return items.length > 0 ? html`<ul class="rows">${items}</ul>` : html`<p class="dim">${none}</p>`;
}

/** All repositories. */
export function homePage(forge: Forge, repositories: readonly Repository[]): string {
  const items = repositories.map((it) => {
    const open = [...forge.pulls.values()].filter((pull) => pull.repoId === it.id && pull.state === 'open');
    const path = pathOf(forge, it);
    return html`<li><a href="${path}">${fullName(forge, it)}</a> <span class="dim">${it.description}</span>
<a class="push" href="${path}/pulls">${open.length} open pull request${open.length === 1 ? '' : 's'}</a></li>`;
  });
  const content = html`<h1>Repositories</h1>${rows(items, 'No repository that everybody may see.')}`;
  return page('Repositories', [], content);
}

/** One repository: where to clone it, its branches and tags. */
export function repositoryPage(
  forge: Forge,
  repository: Repository,
  refs: ReadonlyMap<string, string>,
): string {
  const name = fullName(forge, repository);
  const listed = (prefix: string) =>
    [...refs]
      .filter(([ref]) => ref.startsWith(prefix))
      .map(
        ([ref, sha]) =>
          html`<li>${ref.slice(prefix.length)} <code class="push">${sha.slice(0, 10)}</code></li>`,
      );
  const content = html`<h1>${name}</h1>
<p>${repository.description}</p>
<p>Clone it: <code>git clone ${rootUrl(forge)}/${name}.git</code></p>
<p><a href="/${name}/pulls">Pull requests</a></p>
<h2>Branches</h2>${rows(listed('refs/heads/'), 'Nothing was pushed yet.')}
<h2>Tags</h2>${rows(listed('refs/tags/'), 'No tags.')}`;
  return page(name, crumbs(forge, repository), content);
}

/** The pull requests of a repository. */
export function pullsPage(forge: Forge, repository: Repository, pulls: readonly Pull[]): string {
  const path = pathOf(forge, repository);
  const items = pulls.map(
    (pull) => html`<li>${tag(pull.state)} <a href="${path}/pulls/${pull.number}">${pull.title}</a>
<span class="dim push">#${pull.number} by ${ownerById(forge, pull.authorId).login}, ${moment(pull.created)}</span></li>`,
  );
  const content = html`<h1>Pull requests <small>${fullName(forge, repository)}</small></h1>
${rows(items, 'Nobody asked for anything yet.')}`;
  return page(`Pull requests of ${fullName(forge, repository)}`, crumbs(forge, repository), content);
}

/** What a pull request's page shows besides the pull request itself. */
export interface PullDetails {
  /** `from` is undefined when the repository it came from is gone. */
  head: { sha: string; from: string | undefined };
  statuses: readonly Status[];
  comments: readonly Comment[];
}

/** One pull request: its head with what was reported about that commit, and what was said. */
export function pullPage(
  forge: Forge,
  repository: Repository,
  pull: Pull,
  { head, statuses, comments }: PullDetails,
): string {
  const path = pathOf(forge, repository);
  const said = [
    article(html`${ownerById(forge, pull.authorId).login} opened this on ${moment(pull.created)}`, pull.body),
    ...comments.map((it) => article(commentHead(forge, it), it.body, `issuecomment-${it.id}`)),
  ];
  const source = head.from ?? 'a repository that was deleted';
  const content = html`<h1>${pull.title} <small>#${pull.number}</small></h1>
<p>${tag(pull.state)} <code>${source}:${pull.headBranch}</code> into <code>${pull.baseBranch}</code></p>
<h2>Head commit <code>${head.sha}</code></h2>
${rows(statuses.map(statusRow), 'Nothing was reported about this commit.')}
<h2>Conversation</h2>
${said}`;
  const way: Crumb[] = [...crumbs(forge, repository), ['pull requests', `${path}/pulls`]];
  return page(`${pull.title} · ${fullName(forge, repository)}#${pull.number}`, way, content);
}

function commentHead(forge: Forge, comment: Comment): Html {
  const edited = comment.updated > comment.created ? html`, edited ${moment(comment.updated)}` : undefined;
  return html`${ownerById(forge, comment.authorId).login} on ${moment(comment.created)}${edited}`;
}

function article(head: Html, body: string, id?: string): Html {
  const anchor = id === undefined ? undefined : html` id="${id}"`;
  return html`<article${anchor}><header>${head}</header><div>${markdown(body)}</div></article>`;
}

function statusRow(status: Status): Html {
  const isLink = /^https?:\/\//i.test(status.targetUrl);
  const details = isLink ? html`<a class="push" href="${status.targetUrl}">details</a>` : undefined;
  return html`<li>${tag(status.state)} <b>${status.context}</b> ${status.description} ${details}</li>`;
}
