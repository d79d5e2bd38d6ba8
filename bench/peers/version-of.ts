import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Manifest = z.object({ version: z.string() });

/** Of the package in this directory. */
export function versionIn(...directory: readonly string[]): string {
  return Manifest.parse(JSON.parse(readFileSync(join(...directory, 'package.json'), 'utf8'))).version;
}

/** Of a package that is installed for the peers. */
export function versionOf(name: string): string {
  return versionIn(import.meta.dirname, 'node_modules', name);
}
