import type { Obstacle } from '../part.js';

/** A secret of the swarm that an app is deployed with. */
export interface AppSecret {
  /** Its key in the recipe's compose files. */
  key: string;
  version: string;
  /** Its value, where it is made with the app; otherwise another part makes it. */
  data?: Buffer;
}

/** What an app is to be deployed with, as far as it is known. */
export type Given =
  | { kind: 'known'; env: Readonly<Record<string, string>>; secrets: readonly AppSecret[] }
  /** Something of the host's own has to be made first. */
  | { kind: 'unmade'; found: string; plan: string; make(): Promise<void> }
  | { kind: 'blocked'; obstacle: Obstacle };

/** An app of the host itself, by the recipe that operators use for it. */
export interface RecipeApp {
  recipe: string;
  /** abra's name of it, and where it is reached if it serves anything. */
  domain: string;
  /** The recipe's compose files, in order. */
  composeFiles: readonly string[];
  /** The recipe's compose file that publishes ports on the host itself, for a kernel without Swarm's load balancer. */
  hostPortsFile?: string;
  /** The published version; undefined: the one that is deployed, or else the newest. */
  version: string | undefined;
  /** Looks what there is to deploy it with, and changes nothing. */
  given(): Promise<Given>;
}

/** abra cuts stack names here (abra contract 5.2). */
const STACK_NAME_LIMIT = 45;

/** abra's stack name for a domain. */
export function stackOf(domain: string): string {
  return domain.replaceAll('.', '_').slice(0, STACK_NAME_LIMIT);
}
