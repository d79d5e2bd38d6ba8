import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/database/client.ts';
import { prepareDatabase } from './prepare-database.ts';

/** A directory for embedded databases; `remove` takes it away with everything in it. */
export interface EmbeddedDirectory {
  /** A data directory of its own with a migrated database, which nobody has open. */
  clone(name: string): string;
  /** A directory with nothing in it. */
  empty(name: string): string;
  remove(): void;
}

/** The first start of an embedded database takes seconds: so once for a test file, and a copy for each test. */
export async function prepareEmbeddedDirectory(): Promise<EmbeddedDirectory> {
  const root = mkdtempSync(join(tmpdir(), 'latchkey-embedded-'));
  const template = join(root, 'template');
  const database = await openDatabase({ databaseUrl: null, dataDirectory: template });
  await prepareDatabase(database);
  await database.close();
  return {
    clone(name) {
      const directory = join(root, name);
      cpSync(template, directory, { recursive: true });
      return directory;
    },
    empty(name) {
      const directory = join(root, name);
      mkdirSync(directory);
      return directory;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
