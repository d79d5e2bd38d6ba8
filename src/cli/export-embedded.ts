import { existsSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { pino } from 'pino';
import { developmentSecretKey } from '../config/secret-key.ts';
import { type Config, loadConfig } from '../config.ts';
import { type Database, openDatabase } from '../database/client.ts';
import { type CopiedTable, copyDatabase, DatabaseNotEmptyError, expectNothingIn } from '../database/copy.ts';
import { migrate } from '../database/migrate.ts';
import { openQueue } from '../jobs/queue.ts';
import { openSigningKeys } from '../keys/service.ts';
import { CommandError } from './command-error.ts';

const DATABASE = 'database';
const EXPORTED = 'database.exported';

export const exportEmbeddedCommand = new Command('export-embedded')
  .description('move all that the embedded database in DATA_DIR holds into the empty PostgreSQL of DATABASE_URL')
  .action(async () => {
    const config = loadConfig(process.env, (dataDirectory) => {
      expectEmbeddedDatabase(dataDirectory);
      return developmentSecretKey(dataDirectory);
    });
    const { databaseUrl, dataDirectory } = config;
    expectEmbeddedDatabase(dataDirectory);
    if (databaseUrl === null) throw new CommandError('DATABASE_URL has to name the PostgreSQL to move to');
    for (const { name, rows } of await move(config)) process.stdout.write(`${name}: ${rows}\n`);
    process.stdout.write(
      `all of it is in PostgreSQL, and what was here is kept in ${join(resolve(dataDirectory), EXPORTED)}\n` +
        'start the service with this DATABASE_URL, and with the same secret: SECRET_KEY as it was, or if there was none, ' +
        'what is in the file secret-key in DATA_DIR\n',
    );
  });

/** And nothing where it will be put aside. */
function expectEmbeddedDatabase(dataDirectory: string): void {
  const directory = join(resolve(dataDirectory), DATABASE);
  const exported = join(resolve(dataDirectory), EXPORTED);
  if (!existsSync(join(directory, 'PG_VERSION')))
    throw new CommandError(`there is no embedded database in ${directory}`);
  if (existsSync(exported)) throw new CommandError(`${exported} is in the way: it is what was exported before`);
}

/** Both are brought up to date first, so that they have the same tables. */
async function move({ databaseUrl, dataDirectory, secretKeys }: Config): Promise<readonly CopiedTable[]> {
  const source = await openDatabase({ databaseUrl: null, dataDirectory });
  let target: Database | undefined;
  try {
    await bringUpToDate(source);
    // With another secret everybody would be signed out, and no token signed: better said before.
    await openSigningKeys(source, secretKeys, () => new Date());
    target = await openDatabase({ databaseUrl, dataDirectory });
    await expectNothingIn(target.pool, source.pool);
    await bringUpToDate(target);
    const copied = await copyDatabase(source.pool, target.pool);
    await source.close(() => putAside(dataDirectory));
    return copied;
  } catch (error) {
    throw error instanceof DatabaseNotEmptyError ? new CommandError(error.message) : error;
  } finally {
    await target?.close();
    await source.close();
  }
}

async function bringUpToDate(database: Database): Promise<void> {
  await migrate(database.pool);
  const queue = await openQueue(database, pino({ level: 'silent' }));
  await queue.close();
}

/**
 * So that no service goes on where this one stopped: its sessions would be refreshed in two places, and its mails leave
 * twice. Before the directory is free for one.
 */
function putAside(dataDirectory: string): void {
  renameSync(join(dataDirectory, DATABASE), join(dataDirectory, EXPORTED));
}
