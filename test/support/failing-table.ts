import type { TestService } from './service.ts';

/** The table is there, and can be read, and nothing can be written to it meanwhile, as on a full disk. */
export async function whileUnwritable<T>({ app }: TestService, table: string, act: () => Promise<T>): Promise<T> {
  await app.db.$executeRawUnsafe(`
    CREATE FUNCTION refuse_${table}() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE disk_full USING MESSAGE = 'no space left for ${table}'; END $$`);
  await app.db.$executeRawUnsafe(`
    CREATE TRIGGER refuse_${table} BEFORE INSERT OR UPDATE OR DELETE ON ${table}
    EXECUTE FUNCTION refuse_${table}()`);
  try {
    return await act();
  } finally {
    await app.db.$executeRawUnsafe(`DROP FUNCTION refuse_${table} CASCADE`);
  }
}

/** There is no such table meanwhile. */
export async function whileGone<T>({ app }: TestService, table: string, act: () => Promise<T>): Promise<T> {
  await app.db.$executeRawUnsafe(`ALTER TABLE ${table} RENAME TO ${table}_gone`);
  try {
    return await act();
  } finally {
    await app.db.$executeRawUnsafe(`ALTER TABLE ${table}_gone RENAME TO ${table}`);
  }
}

/** A digest of all rows of every table but those named, the jobs' tables included. */
export async function contents({ app }: TestService, ...except: readonly string[]): Promise<Map<string, string>> {
  const tables = await app.db.$queryRaw<{ readonly name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name`;
  const digests = new Map<string, string>();
  for (const { name } of tables.filter((table) => !except.includes(table.name))) {
    const [row] = await app.db.$queryRawUnsafe<{ readonly digest: string | null }[]>(
      `SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) AS digest FROM ${name} t`,
    );
    digests.set(name, row?.digest ?? 'no rows');
  }
  return digests;
}
