import type { EventEmitter } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import type { MigrationList, SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

// Prisma's CLI makes and checks migrations with a native engine that it downloads. The same engine is published as
// WebAssembly; here it is driven directly, so that neither a developer nor the tests need that download.

const PRISMA = join(import.meta.dirname, '../prisma');
const NO_FILTERS = { externalTables: [], externalEnums: [] };

/** The SQL that turns the database into what schema.prisma says; empty where it is that already. */
export async function schemaDifference(databaseUrl: string): Promise<string> {
  const path = join(PRISMA, 'schema.prisma');
  const files = [{ path, content: readFileSync(path, 'utf8') }];
  return await withEngine(databaseUrl, async (engine) => {
    const { exitCode, stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: PRISMA },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: true,
      filters: NO_FILTERS,
    });
    return exitCode === 0 ? '' : (stdout ?? '');
  });
}

/** What `prisma migrate status` would find in the database. */
export async function migrationHistory(databaseUrl: string) {
  return await withEngine(databaseUrl, (engine) =>
    engine.diagnoseMigrationHistory({
      migrationsList: readMigrationList(),
      optInToShadowDatabase: false,
      filters: NO_FILTERS,
    }),
  );
}

async function withEngine<Result>(
  databaseUrl: string,
  use: (engine: SchemaEngine) => Promise<Result>,
): Promise<Result> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  try {
    bindings ??= loadBindings();
    const { SchemaEngine } = await bindings;
    const adapter = bindMigrationAwareSqlAdapterFactory(new CatalogueAdapter(pool));
    return await use(await SchemaEngine.new({ datamodels: undefined }, () => {}, adapter));
  } finally {
    await pool.end();
  }
}

const CHAR = 18;
const TEXT = 25;

/** The catalogue has columns of type "char", which @prisma/adapter-pg refuses and of which the engine wants to know. */
class CatalogueAdapter extends PrismaPg {
  override async connect() {
    const adapter = await super.connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    // Of the answer that is being read: there is one connection, and it answers one query after the other.
    let isChar: boolean[] = [];
    adapter.underlyingDriver().on('connect', (client) => {
      const { connection } = client as pg.PoolClient & { readonly connection: EventEmitter };
      connection.prependListener('rowDescription', ({ fields }: { readonly fields: { dataTypeID: number }[] }) => {
        isChar = fields.map(({ dataTypeID }) => dataTypeID === CHAR);
        for (const field of fields) if (field.dataTypeID === CHAR) field.dataTypeID = TEXT;
      });
    });
    adapter.queryRaw = async (query) => {
      const result = await queryRaw(query);
      const columnTypes = result.columnTypes.map((type, i) => (isChar[i] ? ColumnTypeEnum.Character : type));
      return { ...result, columnTypes };
    };
    return adapter;
  }
}

let bindings: ReturnType<typeof loadBindings> | undefined;

/** The package leaves the loading of its WebAssembly to a bundler, and has room for one instance. */
async function loadBindings() {
  const path = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const loaded = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const module = new WebAssembly.Module(readFileSync(path.replace(/\.js$/, '.wasm')));
  const { exports } = new WebAssembly.Instance(module, { './schema_engine_bg.js': { ...loaded } });
  loaded.__wbg_set_wasm(exports);
  if (typeof exports.__wbindgen_start === 'function') exports.__wbindgen_start();
  return loaded;
}

function readMigrationList(): MigrationList {
  const baseDir = join(PRISMA, 'migrations');
  const directories = readdirSync(baseDir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: readFileSync(join(baseDir, 'migration_lock.toml'), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: directories.map(({ name }) => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok', value: readFileSync(join(baseDir, name, 'migration.sql'), 'utf8') },
      },
    })),
  };
}
