import { join } from 'node:path';

export const DIRECTORY = import.meta.dirname;

/** The program `directus`, without its look for updates. */
export const CLI = join(DIRECTORY, 'node_modules', '@directus', 'api', 'dist', 'cli', 'run.js');
