import { StageFailure } from './failure.js';

/** What a refused pull means, and whether trying again may help. */
export interface PullFailure {
  failure: StageFailure;
  transient: boolean;
}

/** Docker Hub says `toomanyrequests`; others only the status. */
const RATE_LIMIT = /too ?many ?requests|rate.?limit|(?:status:?|HTTP) 429\b/i;
const FULL = /no space left on device|disk quota exceeded/i;
/** Go's words for a network or a server that is not up to it. */
const UNREACHABLE =
  /no such host|dial tcp|connection (?:refused|reset)|i\/o timeout|timeout exceeded|deadline exceeded|TLS handshake|server misbehaving|network is unreachable|no route to host|unexpected EOF|\bEOF$|broken pipe|request canceled|terminated|other side closed|server gave HTTP response|x509:/i;
const SERVER_ERROR =
  /(?:status(?: code)?:?|HTTP) 5\d\d|\b5\d\d (?:internal server|bad gateway|service|gateway)/i;
const BAD_LOGIN = /unauthorized|authentication required|incorrect username|no basic auth credentials/i;
const NOT_THERE =
  /manifest unknown|manifest for \S+ not found|name unknown|not found|does not exist|no matching manifest|HTTP 404\b|invalid reference/i;
const DENIED = /denied|forbidden|HTTP 403\b/i;

/**
 * What the engine's words for a pull that failed mean: pure. What the registry does not have, or does not give to
 * everybody, is the recipe's; what keeps it from answering is not.
 * @param loggedIn whether credentials for the registry were sent
 */
export function pullFailure(image: string, reason: string, loggedIn: boolean): PullFailure {
  const ci = (why: string, transient = false): PullFailure => ({
    failure: new StageFailure('ci', `${image} could not be pulled: ${why}`, [`${image}: ${reason}`]),
    transient,
  });
  const recipe = (why: string): PullFailure => ({
    failure: new StageFailure('recipe', `the image ${image} ${why}`, [`${image}: ${reason}`]),
    transient: false,
  });
  // An image may be called "ratelimit", and its tag 429.
  const words = reason.replaceAll(image, '').replaceAll(image.replace(/[:@][^/]*$/, ''), '');
  if (RATE_LIMIT.test(words)) {
    return ci(
      "it is the registry's rate limit, not the recipe; try again later, or log this host in (docker login)",
    );
  }
  if (FULL.test(words)) return ci('the disk of this host is full');
  if (UNREACHABLE.test(words) || SERVER_ERROR.test(words))
    return ci('its registry does not answer as it should; try again later', true);
  if (loggedIn && BAD_LOGIN.test(words))
    return ci("the registry does not accept this host's login; docker login again");
  // Docker Hub denies access to what does not exist.
  if (BAD_LOGIN.test(words) || DENIED.test(words))
    return recipe('does not exist, or its registry does not give it to everybody');
  if (NOT_THERE.test(words)) return recipe('does not exist in its registry; check its name and tag');
  return ci(reason);
}
