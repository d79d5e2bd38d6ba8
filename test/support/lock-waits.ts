import { vi } from 'vitest';
import type { TestService } from './service.ts';

/** So many statements on the service's database wait for rows that other transactions hold. */
export function someStatementWaits({ app }: TestService, count = 1): Promise<unknown> {
  return vi.waitUntil(
    async () => {
      const { rows } = await app.database.pool.query(`
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
      return rows.length >= count;
    },
    { interval: 5, timeout: 10_000 },
  );
}
