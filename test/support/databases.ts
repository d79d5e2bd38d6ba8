import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/database/client.ts';
import { startPostgres } from './postgres.ts';
import { prepareDatabase } from './prepare-database.ts';
import { TEMPLATE_DATABASE, urlOfDatabase } from './test-database.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the PostgreSQL that all test files of a run share, and its superuser. */
    readonly postgresUrl: string;
  }
}

/** One PostgreSQL for the whole run, and in it the migrated database that each test file clones. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startPostgres();
  try {
    await createTemplate(postgres.url);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  project.provide('postgresUrl', postgres.url);
  return postgres.stop;
}

async function createTemplate(serverUrl: string): Promise<void> {
  const client = new pg.Client(serverUrl);
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE_DATABASE} IS_TEMPLATE true`);
  const databaseUrl = urlOfDatabase(serverUrl, TEMPLATE_DATABASE);
  const database = await openDatabase({ databaseUrl, dataDirectory: '' });
  await prepareDatabase(database);
  await database.close();
  // A database somebody is connected to cannot be cloned.
  await client.query(`ALTER DATABASE ${TEMPLATE_DATABASE} ALLOW_CONNECTIONS false`);
  await client.end();
}
