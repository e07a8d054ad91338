import { writeOptions } from './options-table.js';

await writeOptions();
