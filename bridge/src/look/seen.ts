import { decide } from '../command.js';
import type { ForgeComment } from '../forge/schemas.js';
import type { SeenComment } from '../triggers.js';

/** From when on comments count, by the forge's clock (milliseconds, whole seconds). */
export interface Baseline {
  at: number;
  /** Whether this look is the one that sets it: then what was made in that very second is older than it. */
  isNew: boolean;
}

/** Of a repository's comments those on pull requests, decided about. What is older than the bridge is no command. */
export function seenComments(
  comments: readonly ForgeComment[],
  repo: string,
  botId: number,
  baseline: Baseline,
): SeenComment[] {
  return comments.flatMap((comment) => {
    const pr = pullNumber(comment);
    if (pr === undefined) return [];
    const { id, user, created_at: createdAt } = comment;
    const isOld = baseline.isNew ? createdAt <= baseline.at : createdAt < baseline.at;
    const decision = isOld ? 'no-command' : decide(comment, user.id, botId);
    return [{ commentId: id, repo, pr, author: user.login, createdAt, decision }];
  });
}

/** The number of the pull request a comment is on; undefined for one on an issue. */
function pullNumber({ pull_request_url }: ForgeComment): number | undefined {
  const digits = /\/pulls\/(\d+)$/.exec(pull_request_url ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
