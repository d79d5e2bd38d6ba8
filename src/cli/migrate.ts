import { Command } from 'commander';
import { pino } from 'pino';
import { developmentSecretKey } from '../config/secret-key.ts';
import { loadConfig } from '../config.ts';
import { openDatabase } from '../database/client.ts';
import { migrate } from '../database/migrate.ts';
import { openQueue } from '../jobs/queue.ts';

export const migrateCommand = new Command('migrate')
  .description('apply the migrations that the database lacks, then stop')
  .action(async () => {
    const database = await openDatabase(loadConfig(process.env, developmentSecretKey));
    try {
      const applied = await migrate(database.pool);
      const queue = await openQueue(database, pino({ level: 'silent' }));
      await queue.close();
      process.stdout.write(applied.length === 0 ? 'nothing to apply\n' : `${applied.join('\n')}\n`);
    } finally {
      await database.close();
    }
  });
