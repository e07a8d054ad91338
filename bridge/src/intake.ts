import type { Logger, Store } from '@cc-ci/core';
import type { Observer } from './observer.js';
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
  { store, logger, observer }: { store: Store; logger: Logger; observer: Observer },
  ring: () => void,
): Intake {
  return {
    take(comments, via, alongside) {
      const fresh = recordSeen(store, comments, Date.now(), alongside);
      for (const { commentId, repo, pr, author, decision } of fresh) {
        const level = decision === 'testme' || decision === 'edited' ? 'info' : 'debug';
        logger[level]({ comment: commentId, repo, pr, author, decision, via }, 'comment seen');
        observer.decided(decision, via);
      }
      const commands = fresh.filter(({ decision }) => decision === 'testme').length;
      if (commands > 0) ring();
      return commands;
    },
  };
}
