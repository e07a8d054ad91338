import type { Blame } from '@cc-ci/core';

/** Whose fault something is, and why, in a sentence that says what to do. */
export interface Signal {
  blame: Blame;
  why: string;
}

interface SignalRule extends Signal {
  pattern: RegExp;
  /** Means the same where an app says it in its own log. */
  alsoInLogs?: true;
}

/**
 * What texts of Docker, abra and git show, in order: the first rule that matches anywhere in the text counts, so what
 * merely follows from another stands behind it. Messages marked "seen" are copied from Docker 20.10 and git 2.39.
 */
const RULES: readonly SignalRule[] = [
  {
    // Docker Hub: "toomanyrequests: You have reached your pull rate limit" (docker/hub-feedback#2429), other registries
    // "toomanyrequests: Rate exceeded", containerd "429 Too Many Requests". Swarm goes on to create the container and
    // reports only "No such image" (caprover/caprover#1230), which therefore must not be looked at first.
    pattern: /\btoomanyrequests\b|\b429 too many requests\b|\bstatus(?: code)?:? 429\b|\brate limit/i,
    blame: 'ci',
    why: 'the image registry limits how often this host may pull: run it again later, or give the host credentials or a cache',
  },
  {
    // ENOSPC as libc and Go print it; the kernel gives the same error for inodes.
    pattern: /\bno space left on device\b|\bdisk quota exceeded\b|\bno free inodes\b|\bENOSPC\b/i,
    blame: 'ci',
    why: 'a disk of this host is full, or has no inodes left: free some',
    // An app's disk is the host's.
    alsoInLogs: true,
  },
  {
    // docker CLI, client/errors.go; seen.
    pattern: /Cannot connect to the Docker daemon|error during connect: .*docker/i,
    blame: 'ci',
    why: 'the Docker engine does not answer: start it',
  },
  {
    // swarmkit, manager/scheduler/filter.go (HostPortFilter.Explain).
    pattern: /host-mode port already in use/i,
    blame: 'ci',
    why: 'a port that the recipe publishes in host mode is taken on this host: free it, or let the recipe publish none while it is tested',
  },
  {
    // moby, libnetwork/portallocator: "Bind for 0.0.0.0:80 failed: port is already allocated"; swarmkit's allocator:
    // "port '80' is already in use by service".
    pattern: /port is already allocated|port '?\d+'? is already in use by service/i,
    blame: 'ci',
    why: 'a port that the recipe publishes is taken on this host: free it, or let the recipe publish none while it is tested',
  },
  {
    // swarmkit, manager/scheduler/scheduler.go: "no suitable node (insufficient resources on 1 node)", and other reasons.
    pattern: /\bno suitable node\b|\binsufficient resources on \d+ node/i,
    blame: 'ci',
    why: 'Swarm finds no node for a service of the recipe (the reason stands in brackets): this host is too small or not of the kind it asks for',
  },
  {
    // git and libcurl; seen: "fatal: unable to access 'https://…': Could not resolve host: …",
    // "fatal: repository '…' does not exist". Servers' own words follow "remote: ".
    pattern:
      /^fatal: (?:unable to access|authentication failed|could not read (?:username|password|from remote repository)|couldn't find remote ref|the remote end hung up|repository .*(?:not found|does not exist))|^remote: .*(?:not found|unauthorized|authentication|denied)|^error: RPC failed\b/im,
    blame: 'forge',
    why: 'the forge cannot be reached, or does not give the repository out: check its address and that anybody may read it',
  },
  {
    // go-git, plumbing/transport (abra fetches with it): seen by others as "authentication required: Unauthorized".
    // A registry says it the other way round ("unauthorized: authentication required").
    pattern: /(?<!unauthorized: )\bauthentication required\b|^(?:.*\bFATA\b.*)?\brepository not found\b/im,
    blame: 'forge',
    why: 'the forge does not give the repository out: check its address and that anybody may read it',
  },
  {
    // Go's net package, in the daemon's or abra's words. Seen: "Get "https://registry-1.docker.io/v2/": dial tcp: lookup
    // registry-1.docker.io on …: no such host", "dial tcp …: connect: connection refused".
    pattern:
      /\bTLS handshake timeout\b|\bi\/o timeout\b|\bdial tcp\b|\bserver misbehaving\b|\bEAI_AGAIN\b|\bTemporary failure in name resolution\b|\bClient\.Timeout exceeded\b|\brequest canceled while waiting for connection\b/i,
    blame: 'ci',
    why: 'this host cannot reach a registry or another server it needs: check its network and name resolution',
  },
  {
    // moby, volume/mounts/validate.go.
    pattern: /bind source path does not exist/i,
    blame: 'recipe',
    why: 'the recipe mounts a path of the host that is not there: use a volume or a config instead',
  },
  {
    // OCI distribution specification, error codes; moby: "pull access denied for x, repository does not exist or may
    // require 'docker login'"; containerd: "failed to resolve reference "…": … not found".
    pattern:
      /\bmanifest unknown\b|\bmanifest for \S+ not found\b|\bpull access denied\b|\brepository does not exist or may require\b|\bname unknown: |\bfailed to resolve reference .*: not found/i,
    blame: 'recipe',
    why: 'an image of the recipe does not exist, or not for everybody: check its name and tag',
  },
  {
    // docker's reference package; seen.
    pattern: /\binvalid reference format\b/i,
    blame: 'recipe',
    why: 'the name of an image is malformed: check it, and the variables it is made of',
  },
];

/** What a program's own output shows; undefined where it shows nothing of the kind. */
export function signalOf(text: string): Signal | undefined {
  return first(RULES, text);
}

/** A task as the evidence of a deployment names it: its id, state and error. */
const TASK_LINE = /^task \S+ [a-z]+: /;
/** The engine's or a registry's own words, as far as they begin a line. */
const ENGINE_LINE =
  /^(?:docker: )?(?:Error response from daemon|toomanyrequests|error pulling image|failed to (?:pull|copy|resolve)\b)/i;

/**
 * What the evidence of a failure shows. Where tasks are among its lines, the other lines are an app's log, in which a
 * refused connection or a rate limit is that app's own affair.
 */
export function signalIn(evidence: readonly string[]): Signal | undefined {
  if (!evidence.some((line) => TASK_LINE.test(line))) return signalOf(evidence.join('\n'));
  const ours = evidence.filter((line) => TASK_LINE.test(line) || ENGINE_LINE.test(line));
  const everywhere = RULES.filter((rule) => rule.alsoInLogs);
  return first(RULES, ours.join('\n')) ?? first(everywhere, evidence.join('\n'));
}

/** Whose fault the evidence shows it to be; `fallback` where it shows nothing. */
export function blameFor(evidence: readonly string[], fallback: Blame): Blame {
  return signalIn(evidence)?.blame ?? fallback;
}

function first(rules: readonly SignalRule[], text: string): Signal | undefined {
  const rule = rules.find(({ pattern }) => pattern.test(text));
  return rule && { blame: rule.blame, why: rule.why };
}
