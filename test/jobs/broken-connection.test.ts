import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { openDatabase } from '../../src/database/client.ts';
import { openQueue } from '../../src/jobs/queue.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { createEmptyTestDatabase } from '../support/test-database.ts';

const note = { name: 'note', payload: z.object({}), tries: 3 };

it('a job is put back or not, whichever answer the connection breaks at, and nothing else is disturbed', async () => {
  const { url, drop } = await createEmptyTestDatabase();
  const proxy = await startTcpProxy(url);
  const database = await openDatabase({ databaseUrl: proxy.url, dataDirectory: '' });
  const queue = await openQueue(database, pino({ level: 'silent' }));
  await queue.enqueue(database.prisma, note, {});
  const [job] = await queue.claim(1);
  if (job === undefined) throw new Error('no job');

  const states: string[] = [];
  // BEGIN, two changes, COMMIT.
  for (let answer = 1; answer <= 4; answer += 1) {
    const cut = proxy.cutAt(answer, 'database');
    await expect(queue.putBack(job, 60)).rejects.toThrow();
    expect(cut.hasHappened).toBe(true);
    // The pool has heard of the others that were cut.
    await vi.waitUntil(() => database.pool.totalCount === 0, { timeout: 20_000 });
    const { rows } = await database.pool.query('SELECT state FROM job');
    states.push(rows[0].state);
  }
  expect(states).toEqual(['active', 'active', 'active', 'retry']);

  await queue.close();
  await database.close();
  await proxy.close();
  await drop();
});
