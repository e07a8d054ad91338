import type { BridgeContext } from '../context.js';
import { whoAmI } from '../forge/client.js';
import type { Intake } from '../intake.js';
import { lookByRepository } from './by-repository.js';
import { lookBySearch, NoSearchError } from './by-search.js';
import type { Now } from './clock.js';
import type { Reading } from './reading.js';

/** Milliseconds after which a forge without a search is asked for it again: it may have been updated. */
const ASK_AGAIN_MS = 3_600_000;

/**
 * A look at the forge, to be taken again and again: takes note of the comments on pull requests of the organisation
 * that are new, and says how many commands are among them. By the forge's search over all repositories where there is
 * one (one request while nothing happens), repository by repository otherwise.
 *
 * Each look throws a ForgeError when the forge could not be read; nothing is lost by it.
 * @param now milliseconds that only go forward
 */
export function orgLook(
  context: BridgeContext,
  intake: Intake,
  now: Now = () => performance.now(),
): () => Promise<number> {
  const { forge, logger, timing } = context;
  const reading: Reading = { context, intake, now, progress: undefined };
  const bySearch = lookBySearch(reading);
  const byRepository = lookByRepository(reading);
  let searchFrom: number | undefined;

  return async () => {
    if (searchFrom !== undefined && now() < searchFrom) return byRepository();
    try {
      const commands = await bySearch();
      if (searchFrom !== undefined) logger.info({ forge: forge.url }, 'the forge can be searched now');
      searchFrom = undefined;
      return commands;
    } catch (error) {
      if (!(error instanceof NoSearchError)) throw error;
      // A proxy whose forge is away can say as much; a forge that is there knows us.
      await whoAmI(forge);
      if (searchFrom === undefined) {
        logger.warn(
          { reason: error.message, requestsAMinute: timing.pollBudget },
          'the forge has no search for pull requests: repositories are looked at one by one, which takes longer',
        );
      }
      searchFrom = now() + ASK_AGAIN_MS;
    }
    return byRepository();
  };
}
