import { randomBytes } from 'node:crypto';
import type { Location } from '../../databases/database.ts';

const SECRET = randomBytes(32).toString('base64');
const ADMIN_PASSWORD = randomBytes(18).toString('base64url');

/** As it comes, but for its limits and for what it would tell its makers. */
export function directusEnvironment({ databaseUrl, dataDirectory }: Location) {
  return {
    DB_CLIENT: 'pg',
    DB_CONNECTION_STRING: databaseUrl ?? '',
    SECRET,
    ADMIN_EMAIL: 'ada@example.com',
    ADMIN_PASSWORD,
    EXTENSIONS_PATH: dataDirectory,
    STORAGE_LOCAL_ROOT: dataDirectory,
    PRESSURE_LIMITER_ENABLED: 'false',
    TELEMETRY: 'false',
  };
}
