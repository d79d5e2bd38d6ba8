import type pg from 'pg';
import type { Database } from './client.ts';
import type { Prisma } from './generated/client.ts';

/**
 * The rows of a statement that nearly every request makes. Each connection parses and plans it once and keeps the plan
 * under `name`: planning the look-up of a session takes longer than running it. So one name stands for one text, for good.
 *
 * Outside of transactions, which have a connection of their own. A connection pooler in between has to work in session
 * mode.
 *
 * @throws what `pg` throws
 */
export async function queryPrepared<Row extends pg.QueryResultRow>(
  { pool }: Pick<Database, 'pool'>,
  name: string,
  { text, values }: Prisma.Sql,
): Promise<readonly Row[]> {
  const { rows } = await pool.query<Row>({ name, text, values });
  return rows;
}
