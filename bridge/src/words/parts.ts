import { inlineCode, joinBlocks } from '../markdown.js';
import { LIMIT } from './terms.js';

/** What is known of a run before it starts. All of it is of an allowed form already, save for the author's name. */
export interface RunFacts {
  run: string;
  recipe: string;
  sha: string;
  author: string;
  /** Where people reach the dashboard, without a slash at its end. */
  publicUrl: string;
  /** Where the commit was fetched from, and published versions, for the command that does the same elsewhere. */
  src?: string | undefined;
  origin?: string | undefined;
  /** Whether the dashboard has a page of it; none when it ended before a build was started. Default: it has. */
  hasPage?: boolean | undefined;
}

/** Which of our comments on one trigger: none for the comment on its run, the mention at its end, an answer. */
export type CommentKind = 'done' | 'answer';

/** Bytes a comment may have; Gitea on MySQL keeps 65,535. */
const COMMENT_LIMIT = 60_000;

/** The address of a run's page. */
export function runPage(facts: Pick<RunFacts, 'publicUrl' | 'run'>): string {
  return `${facts.publicUrl}/runs/${facts.run}/`;
}

/** A link to the run's page, after whatever stands before it; nothing where there is none. */
export function pageLink(facts: RunFacts): string {
  return facts.hasPage === false ? '' : ` · [run page](${runPage(facts)})`;
}

/** The line nobody sees that tells one comment of ours from all others. It ends the comment. */
export function markerOf(run: string, kind?: CommentKind): string {
  return `<!-- cc-ci run:${run}${kind ? ` ${kind}` : ''} -->`;
}

/**
 * Whether a comment's text is ours on this run, of this kind. Foreign text in it cannot pretend so: it never stands
 * last.
 */
export function isAbout(run: string, body: string, kind?: CommentKind): boolean {
  return body.trimEnd().endsWith(markerOf(run, kind));
}

/** Blocks of a comment with its marker, within the forge's limit: what does not fit gives way to a link. */
export function compose(
  about: Pick<RunFacts, 'publicUrl' | 'run'>,
  blocks: readonly string[],
  kind?: CommentKind,
): string {
  const notice = `… this comment was cut; [everything is on the run page](${runPage(about)})`;
  return joinBlocks(blocks, notice, markerOf(about.run, kind), COMMENT_LIMIT);
}

/** What a run is about. */
export function subject(facts: RunFacts): string {
  return `\`${facts.recipe}\` at ${shortCommit(facts.sha)}, asked for by ${inlineCode(facts.author, LIMIT.name)}`;
}

/** A commit as people know it. In code, or the forge would look for it in the recipe's own repository. */
export function shortCommit(sha: string): string {
  return `\`${sha.slice(0, 12)}\``;
}
