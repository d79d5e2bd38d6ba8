// node scripts/create-migration.ts NAME: writes what schema.prisma has and the migrations do not into a new migration.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../src/database/migrate.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { schemaDifference } from './prisma-engine.ts';

const name = process.argv[2];
if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error('usage: node scripts/create-migration.ts NAME (lower case letters, digits and _)');
  process.exit(1);
}
const sql = await pendingSql();
if (sql === '') {
  console.log('the migrations already say what schema.prisma says');
} else {
  const timestamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const directory = join(import.meta.dirname, '../prisma/migrations', `${timestamp}_${name}`);
  mkdirSync(directory);
  writeFileSync(join(directory, 'migration.sql'), sql);
  console.log(`${directory}: read it before you keep it\n\n${sql}`);
}

async function pendingSql(): Promise<string> {
  const postgres = await startPostgres();
  try {
    const pool = new pg.Pool({ connectionString: postgres.url });
    await migrate(pool);
    await pool.end();
    return await schemaDifference(postgres.url);
  } finally {
    await postgres.stop();
  }
}
