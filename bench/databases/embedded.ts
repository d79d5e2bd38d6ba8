import { cpSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseKind } from './database.ts';

/** The embedded database, each in a data directory of its own. */
export function embeddedKind(temporaryDirectory: string): DatabaseKind {
  const newLocation = () => ({ databaseUrl: null, dataDirectory: mkdtempSync(join(temporaryDirectory, 'embedded-')) });
  return {
    name: 'embedded',
    pid: null,
    create: async () => newLocation(),
    // Two processes cannot open one directory.
    async share({ dataDirectory }) {
      const copy = newLocation();
      cpSync(join(dataDirectory, 'database'), join(copy.dataDirectory, 'database'), { recursive: true });
      return copy;
    },
    stop: async () => {},
  };
}
