import { pino } from 'pino';
import type { Database } from '../../src/database/client.ts';
import { migrate } from '../../src/database/migrate.ts';
import { openQueue } from '../../src/jobs/queue.ts';

/** The database has all that a first start makes, but keys and people. */
export async function prepareDatabase(database: Database): Promise<void> {
  await migrate(database.pool);
  const queue = await openQueue(database, pino({ level: 'silent' }));
  await queue.close();
}
