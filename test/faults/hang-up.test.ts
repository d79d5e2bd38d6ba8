import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { print } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogIn, Me, signIn, type Tokens, whoIs } from '../process/operations.ts';
import { type ServiceProcess, startService, temporaryDirectory } from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const CLIENTS = 60;

let database: TestDatabase;
let service: ServiceProcess;
let session: Tokens;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(
    // Dear hashes, so that somebody can hang up while they wait.
    {
      ...testEnvironment,
      ARGON2_MEMORY_KIB: '19456',
      ARGON2_ITERATIONS: '10',
      METRICS: 'on',
      DATABASE_URL: database.url,
    },
    { workingDirectory: temporaryDirectory() },
  );
  session = await signIn(service, administrator);
}, 60_000);

afterAll(async () => {
  await service.stop();
  await database.drop();
});

describe(`${CLIENTS} clients that hang up at once`, { timeout: 60_000 }, () => {
  const login = requestFor(print(LogIn), administrator);
  const me = requestFor(print(Me), {});

  it.each([
    ['before they have sent all of their request', login.slice(0, -10), async () => {}],
    ['while their passwords wait to be hashed', login, hashesWait],
    ['while they are answered', me, answerBegins],
  ])('%s leave nothing behind, and nobody else has lost anything', async (_, text, isTime) => {
    const before = service.stderr;
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => send(text)));
    await isTime(clients);
    for (const client of clients) client.resetAndDestroy();
    await expect.poll(heldBy, { timeout: 20_000 }).toEqual({ hashing: 0, waitingToHash: 0, inUse: 0, waiting: 0 });
    expect(await whoIs(service, session.accessToken)).toBe(administrator.email);
    await signIn(service, administrator);
    expect(service.stderr).toBe(before);
    expect(service.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});

function requestFor(query: string, variables: unknown): string {
  const body = JSON.stringify({ query, variables });
  return [
    'POST /graphql HTTP/1.1',
    'host: localhost',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

async function send(text: string): Promise<Socket> {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname).on('error', () => {});
  await new Promise((resolve) => socket.write(text, resolve));
  return socket;
}

async function hashesWait(): Promise<void> {
  await expect.poll(async () => (await heldBy()).waitingToHash, { timeout: 20_000 }).toBeGreaterThan(0);
}

async function answerBegins(clients: readonly Socket[]): Promise<void> {
  await Promise.race(clients.map((client) => once(client, 'data')));
}

/** What the service keeps for requests, as it measures it itself. */
async function heldBy(): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  return {
    hashing: value('latchkey_hashes_running'),
    waitingToHash: value('latchkey_hashes_queued'),
    inUse: value('latchkey_database_connections') - value('latchkey_database_connections_idle'),
    waiting: value('latchkey_database_connections_awaited'),
  };
}
