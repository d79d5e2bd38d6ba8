import type { BetterAuthOptions } from 'better-auth';
import pg from 'pg';

/** As it comes for e-mail and password on PostgreSQL, but for its limits. */
export function betterAuthOptions(databaseUrl: string) {
  return {
    baseURL: process.env.BETTER_AUTH_URL ?? 'http://127.0.0.1',
    secret: process.env.BETTER_AUTH_SECRET ?? '',
    database: new pg.Pool({ connectionString: databaseUrl }),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
  } satisfies BetterAuthOptions;
}
