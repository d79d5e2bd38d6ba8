import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, temporaryDirectory } from '../support/process.ts';
import { testEnvironment } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

// Elsewhere a thread has no priority of its own.
describe.runIf(process.platform === 'linux')('threads that hash passwords, and those that help V8', () => {
  it('give way to the one that answers requests, and no other thread does', async () => {
    const environment = { ...testEnvironment, DATA_DIR: temporaryDirectory(), DATABASE_URL: database.url };
    const service = await startService({ ...environment, UV_THREADPOOL_SIZE: '5' });
    const threads = threadsOf(service.id);
    await service.stop();
    const ordinary = getPriority();
    const named = (sought: string) => threads.filter(({ name }) => name === sought);
    expect(named('libuv-worker')).toEqual(Array(5).fill({ name: 'libuv-worker', priority: lower(ordinary, 10) }));
    const helpers = named('V8Worker');
    expect(helpers).toEqual(helpers.map(({ name }) => ({ name, priority: lower(ordinary, 5) })));
    // Older versions of Node do not name them.
    if (Number(process.versions.node.split('.')[0]) >= 24) expect(helpers).not.toEqual([]);
    const others = threads.filter(({ name }) => name !== 'libuv-worker' && name !== 'V8Worker');
    expect(others.filter(({ priority }) => priority !== ordinary)).toEqual([]);
    expect(threads).toContainEqual({ name: 'MainThread', priority: ordinary });
    expect(service.log().filter(({ msg }) => msg === 'threads kept their priority')).toEqual([]);
  });
});

function lower(ordinary: number, niceness: number): number {
  return Math.min(ordinary + niceness, 19);
}

function threadsOf(processId: number) {
  const directory = `/proc/${processId}/task`;
  return readdirSync(directory).map((id) => ({
    name: readFileSync(`${directory}/${id}/comm`, 'utf8').trim(),
    priority: getPriority(Number(id)),
  }));
}
