import pg from 'pg';
import type { Location } from '../databases/database.ts';

/** What `use` came to; the connections of its pool are closed. */
export async function withPool<T>({ databaseUrl }: Location, use: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({ connectionString: databaseUrl ?? '' });
  try {
    return await use(pool);
  } finally {
    await pool.end();
  }
}
