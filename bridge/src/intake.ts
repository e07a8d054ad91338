import type { Logger, Store } from '@cc-ci/core';
import { type Decision, isCommand } from './command.js';
import type { Observer } from './observer.js';
import { isListed, type Rules } from './rules.js';
import { recordSeen, type SeenBy, type SeenComment } from './triggers.js';

/** The one door through which comments come in, whichever way they were seen. */
export interface Intake {
  /**
   * Takes note of comments; one that was taken before, by whichever way, keeps what was decided about it then.
   * @param alongside database work to be done in the same transaction
   * @returns how many new commands there are; they are worked on at once
   * @throws SqliteError when nothing can be kept
   */
  take(comments: readonly SeenComment[], via: SeenBy, alongside?: () => void): number;
}

/** @param ring called when there is something to work on */
export function createIntake(
  { store, logger, observer, rules }: { store: Store; logger: Logger; observer: Observer; rules: Rules },
  ring: (via: SeenBy) => void,
): Intake {
  const decided = (comment: SeenComment): SeenComment =>
    isCommand(comment.decision) && isListed(rules.ignoreUsers, comment.author)
      ? { ...comment, decision: 'ignored-author' }
      : comment;

  return {
    take(comments, via, alongside) {
      const fresh = recordSeen(store, comments.map(decided), Date.now(), alongside);
      for (const comment of fresh) {
        const { commentId, repo, pr, author, decision } = comment;
        const level = isWorthTelling(decision) ? 'info' : 'debug';
        logger[level]({ comment: commentId, repo, pr, author, decision, via }, 'comment seen');
        observer.decided(decision, via, comment);
      }
      const commands = fresh.filter(({ decision }) => isCommand(decision)).length;
      if (commands > 0) ring(via);
      return commands;
    },
  };
}

function isWorthTelling(decision: Decision): boolean {
  return isCommand(decision) || decision === 'edited' || decision === 'ignored-author';
}
