import { vi } from 'vitest';
import type { TestService } from './service.ts';

/** Some statement on the service's database waits for a row that another transaction holds. */
export function someStatementWaits({ app }: TestService): Promise<unknown> {
  return vi.waitUntil(
    async () => {
      const { rows } = await app.database.pool.query(`
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
      return rows.length > 0;
    },
    { interval: 5, timeout: 10_000 },
  );
}
