import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/client.ts';
import {
  DataDirectoryInUseError,
  DataDirectoryUnusableError,
  lockDirectory,
} from '../../src/database/directory-lock.ts';
import { type EmbeddedDirectory, prepareEmbeddedDirectory } from '../support/embedded-directory.ts';

let directories: EmbeddedDirectory;

beforeAll(async () => {
  directories = await prepareEmbeddedDirectory();
});

afterAll(() => directories.remove());

describe('the embedded database', () => {
  it('is refused to a second process with one clear line, and the first one loses nothing', async () => {
    const dataDirectory = directories.clone('second-process');
    const writer = startWriter(dataDirectory);
    await writer.hasWritten(20);

    const refusal = await refusalOf(dataDirectory);
    expect(refusal).toBeInstanceOf(DataDirectoryInUseError);
    expect(refusal.message).toBe(
      `the data directory ${dataDirectory} is in use by another process: stop that one first, or set DATA_DIR to a directory of its own`,
    );

    await writer.hasWritten(40);
    await writer.stop();
    expect(await storedKeys(dataDirectory)).toEqual(expect.arrayContaining(writer.keys));
  });

  it('is refused to a second opener in the same process', async () => {
    const dataDirectory = directories.clone('same-process');
    const database = await open(dataDirectory);
    expect(await refusalOf(dataDirectory)).toBeInstanceOf(DataDirectoryInUseError);
    await database.close();
    await (await open(dataDirectory)).close();
  });

  it('can be put aside when it is closed, before anybody else opens it', async () => {
    const dataDirectory = directories.clone('put-aside');
    const database = await open(dataDirectory);
    await database.close(() => {
      expect(() => lockDirectory(dataDirectory)).toThrow(DataDirectoryInUseError);
      renameSync(join(dataDirectory, 'database'), join(dataDirectory, 'aside'));
    });
    lockDirectory(dataDirectory).release();
    expect(readdirSync(dataDirectory)).toEqual(expect.arrayContaining(['aside', 'lock']));
  });

  it('opens at once after its process was killed, with every acknowledged row', async () => {
    const dataDirectory = directories.clone('killed');
    const writer = startWriter(dataDirectory);
    await writer.hasWritten(50);
    await writer.kill();
    expect(await storedKeys(dataDirectory)).toEqual(expect.arrayContaining(writer.keys));
  });

  it('starts again when its process was killed while the database was being made', async () => {
    const dataDirectory = directories.clone('half-made');
    rmSync(join(dataDirectory, 'database/base'), { recursive: true });
    writeFileSync(join(dataDirectory, 'database.unfinished'), '');
    const database = await open(dataDirectory);
    const { rows } = await database.pool.query('SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = $1', [
      'public',
    ]);
    await database.close();
    expect(rows).toEqual([{ tables: 0 }]);
  });

  it('touches nothing in a directory that holds something else', async () => {
    const dataDirectory = directories.empty('foreign');
    mkdirSync(join(dataDirectory, 'database'), { recursive: true });
    writeFileSync(join(dataDirectory, 'database/thesis.txt'), 'ten years of work');
    const refusal = await refusalOf(dataDirectory);
    expect(refusal).toBeInstanceOf(DataDirectoryUnusableError);
    expect(refusal.message).toContain('holds something else');
    expect(readdirSync(join(dataDirectory, 'database'))).toEqual(['thesis.txt']);
  });

  it('says so when its directory cannot be made, and when its lock cannot be written', async () => {
    const dataDirectory = directories.empty('unusable');
    writeFileSync(join(dataDirectory, 'file'), '');
    mkdirSync(join(dataDirectory, 'lock-is-a-directory/lock'), { recursive: true });
    for (const name of ['file/below', 'lock-is-a-directory']) {
      const refusal = await refusalOf(join(dataDirectory, name));
      expect(refusal).toBeInstanceOf(DataDirectoryUnusableError);
      expect(refusal.message).toContain(join(dataDirectory, name));
    }
  });

  it('forgets what a broken connection left behind: its transaction, its settings, its prepared statements', async () => {
    const database = await open(directories.clone('broken-connection'));
    const broken = await database.pool.connect();
    await broken.query("SET TIME ZONE 'Asia/Tokyo'");
    await broken.query({ name: 'answer', text: 'SELECT 1 AS answer' });
    await broken.query('BEGIN');
    await broken.query("INSERT INTO rate_limits (key) VALUES ('abandoned')");
    broken.release(new Error('broken'));

    const { rows } = await database.pool.query({
      name: 'answer',
      text: `SELECT current_setting('TimeZone') AS time_zone, (SELECT count(*)::int FROM rate_limits) AS rows`,
    });
    await database.close();
    expect(rows).toEqual([{ time_zone: 'UTC', rows: 0 }]);
  });
});

function open(dataDirectory: string): Promise<Database> {
  return openDatabase({ databaseUrl: null, dataDirectory });
}

async function refusalOf(dataDirectory: string): Promise<Error> {
  const outcome = await open(dataDirectory).catch((error: unknown) => error);
  if (outcome instanceof Error) return outcome;
  throw new Error(`${dataDirectory} was opened`);
}

async function storedKeys(dataDirectory: string): Promise<readonly string[]> {
  const database = await open(dataDirectory);
  const rows = await database.prisma.rateLimit.findMany();
  await database.close();
  return rows.map(({ key }) => key);
}

/** Another process that has the database open and goes on writing rows. */
function startWriter(dataDirectory: string) {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    process.execPath,
    [join(import.meta.dirname, 'embedded-writer.ts'), dataDirectory],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const keys: string[] = [];
  const lines = createInterface(child.stdout).on('line', (key) => keys.push(key));
  const closed = once(child, 'close');
  const ended = () => Promise.reject(new Error('the writer ended'));
  return {
    /** Of the rows that it knows to be committed. */
    keys,
    async hasWritten(count: number): Promise<void> {
      while (keys.length < count) await Promise.race([once(lines, 'line'), closed.then(ended)]);
    },
    async stop(): Promise<void> {
      child.stdin.end();
      await closed;
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
