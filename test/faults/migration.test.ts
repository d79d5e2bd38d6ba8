import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, it, vi } from 'vitest';
import { signIn } from '../process/operations.ts';
import { mainScript, startProcess, startService, temporaryDirectory } from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { createEmptyTestDatabase } from '../support/test-database.ts';

const OTHERS = 4;
const migrations = readdirSync(join(import.meta.dirname, '../../prisma/migrations'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

it('when one of five instances that start on an empty database is killed in the middle of a migration, the others finish it', {
  timeout: 120_000,
}, async () => {
  const database = await createEmptyTestDatabase();
  const proxy = await startTcpProxy(database.url);
  const observer = new pg.Client(database.url);
  await observer.connect();
  const workingDirectory = temporaryDirectory();
  proxy.delay(100);
  const first = startProcess(mainScript, [], {
    environment: { ...testEnvironment, DATABASE_URL: proxy.url },
    workingDirectory,
  });
  await vi.waitUntil(async () => (await appliedIn(observer)).length >= 3, { timeout: 60_000 });
  // It is in the middle of another one now, and holds the lock for which the others wait.
  proxy.hang();
  const others = Array.from({ length: OTHERS }, () =>
    startService({ ...testEnvironment, DATABASE_URL: database.url }, { workingDirectory }),
  );
  await vi.waitUntil(async () => (await waitingIn(observer)) === OTHERS, { timeout: 60_000 });
  expect((await appliedIn(observer)).length).toBeLessThan(migrations.length);
  first.send('SIGKILL');
  await first.exit;
  await proxy.close();

  const services = await Promise.all(others);
  expect(await appliedIn(observer)).toEqual(migrations);
  const { rows } = await observer.query('SELECT email FROM users');
  expect(rows).toEqual([{ email: administrator.email }]);
  for (const service of services) {
    await signIn(service, administrator);
    expect(await service.stop()).toMatchObject({ code: 0, stderr: '' });
  }
  await observer.end();
  await database.drop();
});

async function appliedIn(client: pg.Client): Promise<readonly string[]> {
  const { rows: tables } = await client.query(`SELECT to_regclass('_prisma_migrations') AS name`);
  if (tables[0]?.name === null) return [];
  const { rows } = await client.query<{ migration_name: string }>(
    'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY migration_name',
  );
  return rows.map(({ migration_name: name }) => name);
}

async function waitingIn(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`,
  );
  return rows.length;
}
