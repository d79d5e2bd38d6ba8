import type pg from 'pg';
import { onOneConnection } from './on-one-connection.ts';

/** How many rows of a table were copied. */
export interface CopiedTable {
  readonly name: string;
  readonly rows: number;
}

/** There is something in the database already that a copy would be mixed with. */
export class DatabaseNotEmptyError extends Error {
  override readonly name = 'DatabaseNotEmptyError';

  constructor(table: string) {
    super(`the database of DATABASE_URL is in use: there are rows in its table ${table}; take an empty one`);
  }
}

/** What each database has of its own: what was applied to it, and how its queue is run. */
const OWN_TABLES = [
  '_prisma_migrations',
  'bam',
  'queue',
  'queue_stats',
  'schedule',
  'subscription',
  'version',
  'warning',
];
const BATCH_ROWS = 1000;
const BEGIN_READING = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
const UNHURRIED = 'SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0';

/**
 * Nothing has happened: it is only looked whether a copy of the one would be all that is in the other, which may not have
 * any tables yet. Roles that come with the tables do not count.
 *
 * @throws DatabaseNotEmptyError
 */
export async function expectNothingIn(target: pg.Pool, source: pg.Pool): Promise<void> {
  await within(source, BEGIN_READING, async (from) => {
    const tables = await tablesOf(from);
    await within(target, BEGIN_READING, (to) => expectEmpty(to, tables));
  });
}

/**
 * Every row of the one database is in the other, with the ids, digests and instants it had, or nothing has changed there.
 * Both have all migrations; jobs go along, whatever their state. In one transaction, which nobody else can write in, so
 * that a copy at the same time, or a service that is starting, comes before or after.
 *
 * @throws DatabaseNotEmptyError
 */
export function copyDatabase(source: pg.Pool, target: pg.Pool): Promise<readonly CopiedTable[]> {
  return within(source, BEGIN_READING, async (from) => {
    const tables = await tablesOf(from);
    return within(target, 'BEGIN', async (to) => {
      await to.query(UNHURRIED);
      await to.query(`LOCK TABLE ${tables.map(({ name }) => quoted(name)).join(', ')} IN ACCESS EXCLUSIVE MODE`);
      await expectEmpty(to, tables);
      await to.query('DELETE FROM roles');
      const copied: CopiedTable[] = [];
      for (const table of tables) copied.push({ name: table.name, rows: await copyTable(from, to, table) });
      return copied;
    });
  });
}

function within<T>(pool: pg.Pool, begin: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return onOneConnection(pool, async (client) => {
    await client.query(begin);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  });
}

interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
}

interface Column {
  readonly name: string;
  /** As a cast names it. */
  readonly type: string;
}

interface TableRow {
  readonly name: string;
  readonly needs: readonly string[];
  readonly columns: readonly Column[];
}

/** Those that others refer to before those. */
async function tablesOf(client: pg.PoolClient): Promise<readonly Table[]> {
  const { rows } = await client.query<TableRow>(TABLES, [OWN_TABLES]);
  const ordered: TableRow[] = [];
  while (ordered.length < rows.length) {
    const isThere = (name: string) => ordered.some((table) => table.name === name);
    const next = rows.find(({ name, needs }) => !isThere(name) && needs.every(isThere));
    if (next === undefined) throw new Error('tables refer to each other in a circle');
    ordered.push(next);
  }
  return ordered;
}

/** Partitions are read and written through the table that they are of. */
const TABLES = `
  SELECT t.relname AS name,
         array(SELECT DISTINCT other.relname::text
                 FROM pg_constraint AS reference JOIN pg_class AS other ON other.oid = reference.confrelid
                WHERE reference.conrelid = t.oid AND reference.contype = 'f' AND other.oid <> t.oid
                  AND other.relname <> ALL ($1)) AS needs,
         (SELECT json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod)) ORDER BY attnum)
            FROM pg_attribute
           WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
    FROM pg_class AS t
   WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') AND NOT t.relispartition
     AND t.relname <> ALL ($1)
   ORDER BY t.relname`;

async function expectEmpty(client: pg.PoolClient, tables: readonly Table[]): Promise<void> {
  for (const { name } of tables) {
    const { rows: found } = await client.query('SELECT FROM pg_class WHERE oid = to_regclass($1)', [quoted(name)]);
    if (found.length === 0) continue;
    const condition = name === 'roles' ? 'WHERE NOT built_in' : '';
    const { rows } = await client.query(`SELECT FROM ${quoted(name)} ${condition} LIMIT 1`);
    if (rows.length > 0) throw new DatabaseNotEmptyError(name);
  }
}

/** As text, in which every type of PostgreSQL says all that it holds. */
async function copyTable(from: pg.PoolClient, to: pg.PoolClient, { name, columns }: Table): Promise<number> {
  const texts = columns.map((column) => `${quoted(column.name)}::text`);
  const names = columns.map((column) => quoted(column.name));
  const values = columns.map(({ type }, index) => `v${index}::${type}`);
  const parameters = columns.map((_, index) => `$${index + 1}::text[]`);
  const insert = `
    INSERT INTO ${quoted(name)} (${names.join(', ')}) OVERRIDING SYSTEM VALUE
    SELECT ${values.join(', ')} FROM unnest(${parameters.join(', ')}) AS batch(${columns.map((_, i) => `v${i}`).join(', ')})`;
  await from.query(`DECLARE batches NO SCROLL CURSOR FOR SELECT ${texts.join(', ')} FROM ${quoted(name)}`);
  let copied = 0;
  for (;;) {
    const { rows } = await from.query<(string | null)[]>({
      text: `FETCH ${BATCH_ROWS} FROM batches`,
      rowMode: 'array',
    });
    if (rows.length === 0) break;
    const { rowCount } = await to.query(
      insert,
      columns.map((_, index) => rows.map((row) => row[index])),
    );
    copied += rowCount ?? 0;
  }
  await from.query('CLOSE batches');
  return copied;
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
