import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface DirectoryLock {
  release(): void;
}

/** Another living process holds the directory. */
export class DataDirectoryInUseError extends Error {
  override readonly name = 'DataDirectoryInUseError';
  readonly directory: string;

  constructor(directory: string, options?: ErrorOptions) {
    super(
      `the data directory ${directory} is in use by another process: stop that one first, or set DATA_DIR to a directory of its own`,
      options,
    );
    this.directory = directory;
  }
}

/** The directory cannot be created or written, or what it holds cannot be opened. */
export class DataDirectoryUnusableError extends Error {
  override readonly name = 'DataDirectoryUnusableError';
  readonly directory: string;

  constructor(directory: string, options: { readonly cause: unknown }) {
    super(`the data directory ${directory} cannot be used: ${reason(options.cause)}`, options);
    this.directory = directory;
  }
}

// A lock whose handle is garbage collected is a lock that is gone, so every held one is referred to from here.
const heldLocks = new Set<DatabaseSync>();

/**
 * The directory exists and belongs to this process alone until `release` or the end of the process, however it ends.
 *
 * The lock is SQLite's on `<directory>/lock`: the kernel keeps it, so that there is no stale file to clean up after a
 * crash, and it holds between containers that share a volume on one host (not on network file systems without locks).
 * Nothing else may open that file in this process, because closing it would drop the kernel's lock.
 *
 * @throws DataDirectoryInUseError, DataDirectoryUnusableError
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = resolve(directory);
  const lock = acquire(path);
  heldLocks.add(lock);
  return {
    release() {
      if (heldLocks.delete(lock)) lock.close();
    },
  };
}

const SQLITE_BUSY = 5;

function acquire(path: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    lock = new DatabaseSync(join(path, 'lock'));
    lock.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock?.close();
    if (isBusy(cause)) throw new DataDirectoryInUseError(path, { cause });
    throw new DataDirectoryUnusableError(path, { cause });
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
