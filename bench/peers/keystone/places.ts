import { join } from 'node:path';

export const DIRECTORY = import.meta.dirname;
export const PACKAGES = join(DIRECTORY, '..', 'node_modules');
export const CLI = join(PACKAGES, '@keystone-6', 'core', 'bin', 'cli.js');
