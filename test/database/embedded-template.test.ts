import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedDatabase, openEmbeddedDatabase } from '../../src/database/embedded.ts';
import { prepareTemplate } from '../../src/database/embedded-template.ts';
import { migrate } from '../../src/database/migrate.ts';

const EVERYBODY_ELSE_MAY_WRITE = 0o022;

let root: string;
let template: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'latchkey-template-'));
  template = join(root, 'cache/template');
  // As two installs at the same time do.
  await Promise.all([prepareTemplate(template), prepareTemplate(template)]);
}, 120_000);

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('prepareTemplate', () => {
  it('leaves the template and nothing else, however many make it', () => {
    expect(readdirSync(join(root, 'cache'))).toEqual(['template']);
    expect(readdirSync(template)).toContain('PG_VERSION');
  });

  it('leaves a template alone that is there', async () => {
    const { ino, mtimeMs } = statSync(template);
    await prepareTemplate(template);
    expect(statSync(template)).toMatchObject({ ino, mtimeMs });
  });

  it('lets nobody else write what is going to be the database of every new service', () => {
    const paths = readdirSync(template, { recursive: true, encoding: 'utf8' }).map((path) => join(template, path));
    const writable = [template, ...paths].filter((path) => statSync(path).mode & EVERYBODY_ELSE_MAY_WRITE);
    expect(writable).toEqual([]);
  });

  it('fails where nothing can be written, such as beside packages that somebody else installed', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(prepareTemplate(join(root, 'file/template'))).rejects.toThrow(/ENOTDIR|EEXIST/);
  });
});

// Where there is no template to use, a database takes its time.
describe('a new embedded database', { timeout: 120_000 }, () => {
  it('is the same from the template as without a usable one', async () => {
    const broken = join(root, 'broken');
    cpSync(template, broken, { recursive: true });
    rmSync(join(broken, 'base'), { recursive: true });
    const [fromTemplate, fromBroken] = await Promise.all([
      open('from-template', template),
      open('from-broken-template', broken),
    ]);
    for (const { pool } of [fromTemplate, fromBroken]) await migrate(pool);
    const [description, other] = await Promise.all([describeDatabase(fromTemplate), describeDatabase(fromBroken)]);
    expect(description).toEqual(other);
    expect(description).toMatchObject({
      columns: expect.arrayContaining(['users.email text']),
      migrations: expect.arrayContaining([expect.objectContaining({ is_finished: true })]),
    });
    await Promise.all([fromTemplate.close(), fromBroken.close()]);
  });

  it('is nobody else’s, also when several start at once from one template', async () => {
    const names = ['first', 'second', 'third'];
    const databases = await Promise.all(names.map((name) => open(name, template)));
    for (const [i, { pool }] of databases.entries()) {
      await pool.query('CREATE TABLE mine AS SELECT $1::text AS name', [names[i]]);
    }
    const answers = await Promise.all(databases.map(({ pool }) => pool.query('SELECT name FROM mine')));
    expect(answers.map(({ rows }) => rows)).toEqual(names.map((name) => [{ name }]));
    await Promise.all(databases.map(({ close }) => close()));
    expect(statSync(join(root, 'first/database')).mode & 0o777).toBe(0o700);
    expect(existsSync(join(root, 'first/database.unfinished'))).toBe(false);
  });
});

function open(name: string, from: string): Promise<EmbeddedDatabase> {
  return openEmbeddedDatabase(join(root, name), { template: from });
}

async function describeDatabase({ pool }: EmbeddedDatabase) {
  const { rows: columns } = await pool.query<{ column: string }>(
    `SELECT table_name || '.' || column_name || ' ' || data_type AS column
       FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1`,
  );
  const { rows: migrations } = await pool.query(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS is_finished FROM _prisma_migrations ORDER BY 1`,
  );
  const { rows: settings } = await pool.query(
    `SELECT datcollate, datctype, pg_encoding_to_char(encoding) AS encoding, current_setting('server_version') AS version
       FROM pg_database WHERE datname = current_database()`,
  );
  return { columns: columns.map(({ column }) => column), migrations, settings };
}
