import { pino } from 'pino';
import { type App, createApp } from '../app.ts';
import { developmentSecretKey } from '../config/secret-key.ts';
import { loadConfig } from '../config.ts';
import { openDatabase } from '../database/client.ts';
import { migrate } from '../database/migrate.ts';

/**
 * What the work comes to, done on the configured and migrated database, which is closed again whatever happens.
 * Standard output is left to the work; what is logged goes to standard error.
 */
export async function withApp<T>(work: (app: App) => Promise<T>): Promise<T> {
  const config = loadConfig(process.env, developmentSecretKey);
  const log = pino({ level: 'warn' }, pino.destination({ fd: 2, sync: true }));
  const database = await openDatabase(config);
  let app: App | undefined;
  try {
    await migrate(database.pool);
    const publicUrl = config.publicUrl ?? `http://localhost:${config.port}`;
    app = await createApp({ config, database, log, now: () => new Date(), publicUrl });
    return await work(app);
  } finally {
    await app?.close();
    await database.close();
  }
}

/** Nobody is known to have done what a command does, and no connection is behind it. */
export const operator = { ipAddress: null, userAgent: null, requestId: null } as const;
