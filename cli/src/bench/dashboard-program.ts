import { workInLittleSpace } from '../heap.js';
import '../program.js';

// The measured processes of the dashboard, with all that `cc-ci dashboard` has in memory.
workInLittleSpace();
await import('@cc-ci/engine');
const { doJob } = await import('@cc-ci/dashboard/bench');
await doJob();
