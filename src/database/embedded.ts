import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type pg from 'pg';
import { DataDirectoryUnusableError, lockDirectory } from './directory-lock.ts';
import { copyTemplate, templateDirectory } from './embedded-template.ts';
import { pglitePool } from './pglite-pool.ts';

export interface EmbeddedDatabase {
  readonly pool: pg.Pool;
  /** `last` is done when its files are closed, and before any other process can open them. */
  close(last?: () => void): Promise<void>;
}

interface EmbeddedOptions {
  readonly connectionTimeoutMillis?: number;
  /** What a new database is a copy of, where it is there and can be used. */
  readonly template?: string;
}

/**
 * The PostgreSQL of this process, kept in `<dataDirectory>/database`, is open behind a `pg.Pool` of one connection, and
 * no other process can open it before `close` or the end of this one. PGlite itself does not lock: a second process
 * would write over the first one's rows without an error.
 *
 * What was committed survives the death of the process, not the loss of power: PGlite does not fsync. Where the disk is so
 * full that PostgreSQL has to stop, every query fails from then on, and what was committed is there after the next start.
 *
 * @throws DataDirectoryInUseError, DataDirectoryUnusableError
 */
export async function openEmbeddedDatabase(
  dataDirectory: string,
  { template = templateDirectory(), ...options }: EmbeddedOptions = {},
): Promise<EmbeddedDatabase> {
  const lock = lockDirectory(dataDirectory);
  let db: PGlite;
  try {
    db = await openPglite(resolve(dataDirectory), template);
  } catch (cause) {
    lock.release();
    throw new DataDirectoryUnusableError(resolve(dataDirectory), { cause });
  }
  const { pool, hasPanicked } = pglitePool(db, options);
  return {
    pool,
    async close(last = () => {}) {
      try {
        await pool.end();
        if (!hasPanicked()) await db.close();
        last();
      } finally {
        lock.release();
      }
    },
  };
}

async function openPglite(dataDirectory: string, template: string): Promise<PGlite> {
  const directory = join(dataDirectory, 'database');
  // There while a new database is being written. A process that is killed just then leaves files that look like a
  // database and are none; nothing was ever stored in them.
  const unfinished = join(dataDirectory, 'database.unfinished');
  if (existsSync(unfinished)) rmSync(directory, { recursive: true, force: true });
  const entries = existsSync(directory) ? readdirSync(directory) : [];
  if (entries.length > 0 && !entries.includes('PG_VERSION')) throw new Error(`${directory} holds something else`);
  if (entries.length > 0) return createPglite(directory);
  writeFileSync(unfinished, '');
  const db = (await openCopy(template, directory)) ?? (await createPglite(directory));
  // PGlite makes files that everybody may write.
  chmodSync(directory, 0o700);
  rmSync(unfinished, { force: true });
  return db;
}

/** Null, with nothing left of it, where there is no template to copy or the copy does not open. */
async function openCopy(template: string, directory: string): Promise<PGlite | null> {
  try {
    return copyTemplate(template, directory) ? await createPglite(directory) : null;
  } catch {
    rmSync(directory, { recursive: true, force: true });
    return null;
  }
}

async function createPglite(directory: string): Promise<PGlite> {
  const { PGlite } = await import('@electric-sql/pglite');
  return PGlite.create(directory);
}
