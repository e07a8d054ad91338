import type { BridgeContext } from './context.js';
import { startDriver } from './driver.js';
import { type ForgeClient, isOrgMember, whoAmI } from './forge/client.js';
import type { ForgeUser } from './forge/schemas.js';
import { createIntake, type Intake } from './intake.js';
import { type Late, watchLooks, watchTriggers } from './liveness.js';
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
  /** What should have happened by now and has not: a loop that hangs. */
  late: Late;
  /** The user the bridge is on the forge; undefined until the forge has said it. */
  bot(): ForgeUser | undefined;
  /** Ends after what is under way. Everything else goes on where it stood when a bridge is started again. */
  stop(): Promise<void>;
}

/** Starts to look at the forge, and takes up the triggers an earlier bridge left. */
export function runBridge(parts: Omit<BridgeContext, 'bot'>): RunningBridge {
  const bot = rememberBot(parts);
  const context: BridgeContext = { ...parts, bot: bot.ask };
  const driver = startDriver(context);
  const intake = createIntake(context, driver.ring);
  const { quietMs } = context.forge;
  const pace = { intervalMs: context.timing.pollMs, retry: context.timing.retry, quietMs };
  const looks = watchLooks(orgLook(context, intake), pace);
  const lateTriggers = watchTriggers(context.store);
  const poller = startPoller({
    look: looks.look,
    ...pace,
    logger: context.logger,
    observer: context.observer,
  });
  return {
    intake,
    firstLook: poller.firstLook,
    health: poller.health,
    late: () => [...looks.late(), ...lateTriggers()],
    bot: bot.known,
    async stop() {
      await Promise.all([poller.stop(), driver.stop()]);
    },
  };
}

/** Asks once who the bridge is on the forge; until that is answered it is asked again each time. */
function rememberBot(parts: { forge: ForgeClient; org: string; logger: BridgeContext['logger'] }): {
  ask: () => Promise<ForgeUser>;
  known: () => ForgeUser | undefined;
} {
  let known: ForgeUser | undefined;
  const ask = async () => {
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
  return { ask, known: () => known };
}
