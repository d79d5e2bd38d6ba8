import type { SecretKeys } from '../crypto/secret-keys.ts';
import { Refused } from './readers.ts';
import { readSecretKeys } from './secret-key.ts';

/** The keys of a service without SECRET_KEY, from what `developmentSecretKey` keeps in the data directory. */
export function readDevelopmentSecretKeys(
  dataDirectory: string,
  developmentSecretKey: (directory: string) => string,
): SecretKeys | Refused {
  const text = readSecretFile(dataDirectory, developmentSecretKey);
  if (text instanceof Refused) return text;
  const keys = readSecretKeys(text);
  if (!(keys instanceof Refused)) return keys;
  return new Refused(
    `is absent, and what the file secret-key in DATA_DIR holds ${keys.requirement}; put the right file back, ` +
      'or delete it and the embedded database with it: what it encrypted cannot be read without it',
  );
}

function readSecretFile(dataDirectory: string, developmentSecretKey: (directory: string) => string): string | Refused {
  try {
    return developmentSecretKey(dataDirectory);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return new Refused(`is absent, and the file secret-key in DATA_DIR can be neither read nor made (${error.code})`);
  }
}
