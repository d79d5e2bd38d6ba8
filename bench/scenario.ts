import type { PostgresKind } from './databases/postgres.ts';
import type { Options } from './options.ts';

/** What a scenario of its own is given, beside PostgreSQL. */
export interface ScenarioParts {
  readonly kind: PostgresKind;
  readonly root: string;
  readonly environment: Readonly<Record<'SECRET_KEY' | 'ADMIN_EMAIL' | 'ADMIN_PASSWORD', string>>;
  readonly options: Options;
  readonly onProgress: (what: string) => void;
}

/** As many as ask at once. */
export const CONNECTIONS = 32;

/** Each signs in as so many people by turns, so that nobody soon has as many sessions as a user may have. */
export const PEOPLE_PER_CONNECTION = 20;

/** Before anything counts. */
export const WARM_UP_SECONDS = 3;
