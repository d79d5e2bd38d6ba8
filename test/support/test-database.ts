import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  readonly url: string;
  /** Throws out whoever is still connected. */
  drop(): Promise<void>;
}

/** A database of the test file's own, migrated, with what the migrations put into it and nothing else. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase(TEMPLATE_DATABASE);
}

/** A database without a single table. */
export function createEmptyTestDatabase(): Promise<TestDatabase> {
  return createDatabase('template0');
}

export const TEMPLATE_DATABASE = 'latchkey_template';

export function urlOfDatabase(serverUrl: string, name: string): string {
  return new URL(name, serverUrl).href;
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withClient(serverUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return {
    url: urlOfDatabase(serverUrl, name),
    drop: () =>
      withClient(serverUrl, async (client) => {
        await leaveTimeToGo(client, name);
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

const LOOKS = 500;
const BETWEEN_LOOKS_MILLISECONDS = 10;

/**
 * A pool that has ended may still be saying goodbye. Whoever is thrown out then has nobody left to tell, and fails the run.
 * PostgreSQL tells nobody when a session ends, so it has to be asked.
 */
async function leaveTimeToGo(client: pg.Client, name: string): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE datname = $1', [name]);
    if (rowCount === 0) return;
    await delay(BETWEEN_LOOKS_MILLISECONDS);
  }
}

async function withClient(serverUrl: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client(serverUrl);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
