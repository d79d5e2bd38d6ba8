import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type GraphQLFormattedError, print } from 'graphql';
import { pino } from 'pino';
import type { App } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { ClaimOptions } from '../../src/jobs/queue.ts';
import { serve } from '../../src/serve.ts';
import { createWorker } from '../../src/worker.ts';
import { createTestDatabase } from './test-database.ts';

/** The administrator that every test service starts with. */
export const administrator = { email: 'ada@latchkey.test', password: 'the lovelace of this service' };

export interface TestService {
  readonly app: App;
  readonly url: string;
  /** Stands still until it is moved. */
  readonly clock: Clock;
  /** Everything that was logged, at every level. */
  readonly log: readonly string[];
  /** Sends the operation over HTTP, as a client does. */
  execute<Result, Variables>(
    document: TypedDocumentNode<Result, Variables>,
    ...rest: Variables extends Record<string, never>
      ? [variables?: Variables, options?: RequestOptions]
      : [variables: Variables, options?: RequestOptions]
  ): Promise<Answer<Result>>;
  /**
   * Does the jobs that are due, one after the other, and those that they lead to; with `early` also those that wait for
   * their next try, once. A test service does none by itself, unless it is started with `WORKER: 'on'`.
   */
  runJobs(options?: ClaimOptions): Promise<void>;
  close(): Promise<void>;
}

export interface RequestOptions {
  readonly accessToken?: string | undefined;
  readonly cookie?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer<Result> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Result | null | undefined;
  readonly errors: readonly GraphQLFormattedError[];
}

export interface Clock {
  now(): Date;
  advanceSeconds(seconds: number): void;
}

interface TestServiceOptions {
  /**
   * `postgres`: a database of its own on the run's PostgreSQL. `embedded`: a PGlite directory of its own. A service on
   * PostgreSQL: the database and the clock of that one, as another instance has them; it is closed last.
   */
  readonly database?: 'postgres' | 'embedded' | TestService;
  /** On top of what a test service is started with. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * The real service on a real database of its own, in this process, with hashes that cost little and a clock that the
 * test moves. Rate limiting is off unless the test turns it on.
 */
export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const { environment, dispose } = await testDatabase(options.database ?? 'postgres');
  const clock = typeof options.database === 'object' ? options.database.clock : createClock();
  const log: string[] = [];
  const service = await serve({
    config: loadConfig({ ...testEnvironment, ...environment, ...options.environment }, () => secretKey),
    log: pino({ level: 'trace' }, linesInto(log)),
    now: clock.now,
  });
  const worker = createWorker(service.app);
  return {
    app: service.app,
    url: service.url,
    clock,
    log,
    execute: (document, variables?, requestOptions?: RequestOptions) =>
      post(service.url, print(document), variables, requestOptions),
    runJobs: (claim) => worker.runDue(claim),
    async close() {
      await service.close();
      await dispose();
    },
  };
}

const secretKey = randomBytes(32).toString('base64');

export const testEnvironment = {
  NODE_ENV: 'test',
  PORT: '0',
  SECRET_KEY: secretKey,
  ARGON2_MEMORY_KIB: '128',
  ARGON2_ITERATIONS: '1',
  RATE_LIMITING: 'off',
  WORKER: 'off',
  ADMIN_EMAIL: administrator.email,
  ADMIN_PASSWORD: administrator.password,
};

async function testDatabase(kind: 'postgres' | 'embedded' | TestService) {
  if (typeof kind === 'object') {
    return { environment: { DATABASE_URL: kind.app.config.databaseUrl ?? '' }, dispose: async () => {} };
  }
  if (kind === 'postgres') {
    const { url, drop } = await createTestDatabase();
    return { environment: { DATABASE_URL: url }, dispose: drop };
  }
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-'));
  return {
    environment: { DATA_DIR: directory },
    dispose: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

async function post<Result>(
  url: string,
  query: string,
  variables: unknown,
  { accessToken, cookie, headers }: RequestOptions = {},
): Promise<Answer<Result>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
      ...(cookie !== undefined && { cookie }),
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors = [] } = (await response.json()) as {
    data?: Result | null;
    errors?: readonly GraphQLFormattedError[];
  };
  return { status: response.status, headers: response.headers, data, errors };
}

function createClock(): Clock {
  let milliseconds = Date.parse('2030-01-01T00:00:00.000Z');
  return {
    now: () => new Date(milliseconds),
    advanceSeconds(seconds) {
      milliseconds += seconds * 1000;
    },
  };
}

function linesInto(lines: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
}
