import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogIn, signIn, type Tokens, whoIs } from '../process/operations.ts';
import { type ServiceProcess, startService, temporaryDirectory } from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';

/** Whether the size of files can be limited for a process that runs, which is what a full disk looks like to it. */
const canLimit = spawnSync('prlimit', ['--version']).status === 0;

/** Of all files that grow the log of PostgreSQL is the first to reach it, so that it cannot be written to any more. */
const FULL_BYTES = 64 * 1024;

describe.runIf(canLimit)('a service on the embedded database whose disk is full', { timeout: 120_000 }, () => {
  let environment: Readonly<Record<string, string>>;
  let service: ServiceProcess;
  let acknowledged: Tokens;

  beforeAll(async () => {
    const directory = join(temporaryDirectory(), 'data');
    mkdirSync(directory);
    environment = { ...testEnvironment, DATA_DIR: directory, PUBLIC_URL: 'http://localhost:4000' };
    service = await startService(environment);
    acknowledged = await signIn(service, administrator);
    limitFiles(service, FULL_BYTES);
  }, 120_000);

  afterAll(() => void service.send('SIGKILL'));

  it('answers that it failed, to this and to everything after it, and that it is not ready, and lives on', async () => {
    const answers: unknown[] = [];
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const { data, errors } = await service.execute(LogIn, administrator);
      answers.push([data?.login, ...errors.map(({ extensions }) => extensions?.code)]);
    }
    expect(answers).toEqual(Array(3).fill([null, 'INTERNAL_SERVER_ERROR']));
    expect(await whoIs(service, acknowledged.accessToken)).toBe('["INTERNAL_SERVER_ERROR"]');
    expect(await statusesOf(service)).toEqual({ '/healthz': 200, '/readyz': 503 });
    const said = service.log().map((line) => JSON.stringify(line.err));
    expect(said.join()).toContain('could not write to log file');
    expect(said.join()).toContain('make room on the disk, then restart the service');
  });

  it('does not trust what is in memory when there is room again, ends when it is told to, and starts with all that was answered', async () => {
    limitFiles(service, 'unlimited');
    expect(await whoIs(service, acknowledged.accessToken)).toBe('["INTERNAL_SERVER_ERROR"]');
    expect(await service.stop()).toMatchObject({ code: 0, stderr: '' });
    service = await startService(environment);
    expect(await whoIs(service, acknowledged.accessToken)).toBe(administrator.email);
    await signIn(service, administrator);
    expect(await statusesOf(service)).toEqual({ '/healthz': 200, '/readyz': 200 });
    expect(await service.stop()).toMatchObject({ code: 0, stderr: '' });
  });
});

function limitFiles({ id }: ServiceProcess, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', [`--pid=${id}`, `--fsize=${bytes}:unlimited`]);
}

async function statusesOf({ url }: ServiceProcess): Promise<Record<string, number>> {
  const paths = ['/healthz', '/readyz'];
  const statuses = await Promise.all(paths.map(async (path) => [path, (await fetch(`${url}${path}`)).status] as const));
  return Object.fromEntries(statuses);
}
