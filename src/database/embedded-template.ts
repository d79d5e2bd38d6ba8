import {
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CACHE_DIRECTORY } from '../cache-directory.ts';

/**
 * Where the template of new embedded databases belongs: what `initdb` writes, which takes PGlite seconds and is the same
 * every time. Nothing of ours is in it: tables, keys and users are made in the copy. Each version of PGlite has its own.
 */
export function templateDirectory(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const { version } = JSON.parse(readFileSync(join(dirname(entry), '../package.json'), 'utf8'));
  return join(CACHE_DIRECTORY, `embedded-database-${version}`);
}

/** The template is there. It appears in one step: others find the whole of it or none, also while several make it. */
export async function prepareTemplate(directory: string = templateDirectory()): Promise<void> {
  if (existsSync(directory)) return;
  mkdirSync(dirname(directory), { recursive: true });
  const unfinished = mkdtempSync(`${directory}.`);
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    const db = await PGlite.create(unfinished);
    await db.close();
    letOnlyOwnerWrite(unfinished);
    if (!existsSync(directory)) renameSync(unfinished, directory);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** PGlite makes files that everybody may write, and this becomes everybody's database. */
function letOnlyOwnerWrite(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}

/** Whether there was a template; then all that is in it is in the new directory. */
export function copyTemplate(template: string, directory: string): boolean {
  if (!existsSync(join(template, 'PG_VERSION'))) return false;
  cpSync(template, directory, { recursive: true, mode: constants.COPYFILE_FICLONE });
  return true;
}
