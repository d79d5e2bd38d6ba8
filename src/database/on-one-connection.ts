import type pg from 'pg';

/**
 * What `work` comes to on a connection of its own. After a failure the connection is ended, and with it what was begun on it.
 *
 * A connection that breaks fails what waits for it, and nothing else: the pool does not listen to those that it has given
 * away, and an error that nobody hears ends the process.
 */
export async function onOneConnection<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  client.on('error', ignore);
  let isBroken = true;
  try {
    const result = await work(client);
    isBroken = false;
    return result;
  } finally {
    client.off('error', ignore);
    client.release(isBroken);
  }
}

function ignore(): void {}
