// `npm run soak`: whether what a process of the service keeps in memory stops growing while it signs people in and out,
// is asked ever new queries, and answers `me`. Exits with 1 if it does not, or if the time was too short to know.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import { createPeople } from '../people.ts';
import { startService } from '../service-process.ts';
import { askForMe } from './ask-for-me.ts';
import { askNewQueries } from './ask-new-queries.ts';
import { inspectorOption, openHeap } from './heap.ts';
import { readSoakOptions, USAGE } from './options.ts';
import { CONNECTIONS, type Load, type Outcome, runPhase } from './phase.ts';
import { signInAndOut } from './sign-in-and-out.ts';
import { judge } from './verdict.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Costs next to nothing, and production refuses it: here it is about what a sign-in leaves behind. */
const cheapestHash = { memoryKib: 128, iterations: 1, parallelism: 1 };

const options = readSoakOptions(process.argv.slice(2)) ?? showUsage();
const loads: readonly (readonly [Load, number])[] = [
  [signInAndOut, options.logins],
  [askNewQueries, options.queries],
  [askForMe, options.requests],
];
const temporaryDirectory = mkdtempSync(join(tmpdir(), 'latchkey-soak-'));
process.on('exit', () => rmSync(temporaryDirectory, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

// As a server that runs for long, but for what only a loss of power would show.
const postgres = await startPostgres(['autovacuum=on']);
try {
  const database = { databaseUrl: postgres.url, dataDirectory: temporaryDirectory };
  const people = await createPeople(database, CONNECTIONS, cheapestHash);
  const inspectorPort = await freePort();
  const service = await startService({ root: ROOT, database, environment: environment(inspectorPort) });
  const heap = await openHeap(inspectorPort);
  try {
    const endsAt = performance.now() + options.minutes * 60_000;
    for (const [load, count] of loads) {
      if (count > 0) conclude(await runPhase(load, { count, service, heap, people, endsAt, onSample: tell }));
    }
  } finally {
    heap.close();
    await service.stop();
  }
} finally {
  await postgres.stop();
}

function showUsage(): never {
  process.stderr.write(USAGE);
  process.exit(1);
}

function environment(inspectorPort: number): Readonly<Record<string, string>> {
  return {
    NODE_ENV: 'test',
    ARGON2_MEMORY_KIB: String(cheapestHash.memoryKib),
    ARGON2_ITERATIONS: String(cheapestHash.iterations),
    SECRET_KEY: randomBytes(32).toString('base64'),
    ADMIN_EMAIL: 'ada@latchkey.test',
    ADMIN_PASSWORD: randomBytes(18).toString('base64url'),
    NODE_OPTIONS: inspectorOption(inspectorPort),
    // Every sign-in comes from another address, so that the limits have as many clients to count.
    TRUST_PROXY: '1',
  };
}

function conclude(outcome: Outcome): void {
  const { isGood, text } = judge(outcome);
  tell(text);
  if (!isGood) process.exitCode = 1;
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}
