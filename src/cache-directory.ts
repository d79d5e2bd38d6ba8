import { join } from 'node:path';

/** What only saves time is kept here, and made anew when it is gone. It goes with the packages it was made by. */
export const CACHE_DIRECTORY = join(import.meta.dirname, '../node_modules/.cache/latchkey');
