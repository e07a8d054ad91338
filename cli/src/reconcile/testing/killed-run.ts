import { connectDocker, events } from '@cc-ci/core';
import { hostLock, hostParts, loadHostConfig, reconcileAlone } from '@cc-ci/reconcile';

/** Where a run of `cc-ci reconcile` is killed: right before a change of a part, or at an event of a service after it. */
export interface Place {
  part: string;
  /** Which change of that part, from 1. */
  change: number;
  /** `create` or `update`. */
  event?: string;
}

// A program: what `cc-ci reconcile` does with the parts given as arguments, until it kills itself.
const [place = '{}', ...names] = process.argv.slice(2);
const where = JSON.parse(place) as Place;
const config = loadHostConfig();
const docker = connectDocker();
const never = new AbortController();
let count = 0;
const die = () => process.kill(process.pid, 'SIGKILL');
await reconcileAlone(hostLock(config), hostParts(config, docker), names, {
  onChange(part) {
    if (part !== where.part || ++count !== where.change) return;
    if (where.event === undefined) die();
    else void dieAt(where.event);
  },
});

async function dieAt(action: string): Promise<void> {
  for await (const event of events(docker, { type: ['service'] }, never.signal))
    if (event.Action === action) die();
}
