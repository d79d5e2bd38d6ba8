import { ConfigError } from './config.ts';
import { SigningKeySealedError } from './crypto/signing-keys.ts';
import { DatabaseUnavailableError } from './database/client.ts';
import { DataDirectoryInUseError, DataDirectoryUnusableError } from './database/directory-lock.ts';
import { DatabaseTooOldError, MigrationError } from './database/migrate.ts';

const EXPECTED = [
  ConfigError,
  DataDirectoryInUseError,
  DataDirectoryUnusableError,
  DatabaseTooOldError,
  DatabaseUnavailableError,
  MigrationError,
  SigningKeySealedError,
];

/**
 * Why the process cannot do its work, for the operator at standard error: a line for each thing that can be mended
 * outside the code, the stack of anything else.
 */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isExpected = EXPECTED.some((expected) => error instanceof expected) || isSystemError(error);
  return isExpected ? error.message : (error.stack ?? error.message);
}

/** Such as a port that is taken. */
function isSystemError(error: Error): boolean {
  return 'syscall' in error && 'code' in error;
}
