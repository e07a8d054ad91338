import { keepHeapSmall } from '../heap.js';
import '../program.js';

// The bridge of the webhook burst with all that `cc-ci bridge` has in memory: the whole program, and the embedded engine.
// Only that the builds end at once is not as in `cc-ci bridge`: 3,500 runs would take days.
keepHeapSmall();
await import('@cc-ci/engine');
const { serveBurst } = await import('@cc-ci/bridge/bench');
await serveBurst();
