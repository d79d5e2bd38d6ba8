#!/usr/bin/env node
import './thread-pool.ts';
import { Command } from 'commander';
import { developmentSecretKey } from './config/secret-key.ts';
import { loadConfig } from './config.ts';
import { openDatabase } from './database/client.ts';
import { migrate } from './database/migrate.ts';
import { describeFailure } from './failure.ts';
import { printSchema } from './print-schema.ts';

const program = new Command('latchkey')
  .description('The GraphQL identity service: operator’s commands.')
  .showHelpAfterError();

program
  .command('serve')
  .description('serve until SIGTERM or SIGINT, as `npm start` does')
  .action(async () => {
    await import('./main.ts');
  });

program
  .command('migrate')
  .description('apply the migrations that the database lacks, then stop')
  .action(async () => {
    const database = await openDatabase(loadConfig(process.env, developmentSecretKey));
    try {
      const applied = await migrate(database.pool);
      process.stdout.write(applied.length === 0 ? 'nothing to apply\n' : `${applied.join('\n')}\n`);
    } finally {
      await database.close();
    }
  });

program
  .command('print-schema')
  .description('print the subgraph schema')
  .action(() => {
    process.stdout.write(printSchema());
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exitCode = 1;
}
