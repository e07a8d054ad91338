import type { BridgeContext } from './context.js';
import { startDriver } from './driver.js';
import { type ForgeClient, isOrgMember, whoAmI } from './forge/client.js';
import type { ForgeUser } from './forge/schemas.js';
import { createIntake, type Intake } from './intake.js';
import { orgLook } from './look/look.js';
import { type PollHealth, startPoller } from './poller.js';

/** The bridge at work, without its HTTP server. */
export interface RunningBridge {
  /** Where comments come in that were seen by another way than looking. */
  intake: Intake;
  /** Ends after the first look at the forge, whether it went well or not. */
  firstLook: Promise<void>;
  /** How looking at the forge goes. */
  health(): PollHealth;
  /** Ends after what is under way. Everything else goes on where it stood when a bridge is started again. */
  stop(): Promise<void>;
}

/** Starts to look at the forge, and takes up the triggers an earlier bridge left. */
export function runBridge(parts: Omit<BridgeContext, 'bot'>): RunningBridge {
  const context: BridgeContext = { ...parts, bot: rememberBot(parts) };
  const driver = startDriver(context);
  const intake = createIntake(context, driver.ring);
  const poller = startPoller({
    look: orgLook(context, intake),
    quietMs: context.forge.quietMs,
    intervalMs: context.timing.pollMs,
    retry: context.timing.retry,
    logger: context.logger,
    observer: context.observer,
  });
  return {
    intake,
    firstLook: poller.firstLook,
    health: poller.health,
    async stop() {
      await Promise.all([poller.stop(), driver.stop()]);
    },
  };
}

/** Asks once who the bridge is on the forge; until that is answered it is asked again each time. */
function rememberBot(parts: {
  forge: ForgeClient;
  org: string;
  logger: BridgeContext['logger'];
}): () => Promise<ForgeUser> {
  let known: ForgeUser | undefined;
  return async () => {
    if (known) return known;
    const bot = await whoAmI(parts.forge);
    const isMember = await isOrgMember(parts.forge, parts.org, bot.login);
    if (!known) {
      const { login } = bot;
      parts.logger.info({ forge: parts.forge.url, login }, 'the forge knows the bot');
      if (!isMember) {
        parts.logger.warn(
          { login, org: parts.org },
          'the bot is no member of the organisation: it sees neither private repositories nor who is a member',
        );
      }
    }
    known = bot;
    return bot;
  };
}
