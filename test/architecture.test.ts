import { describe, expect, it } from 'vitest';
import { circlesIn, importsOf, packagesOf } from './architecture/imports.ts';
import { FEATURES, FLOORS, floorOf, goesDown, roomOf } from './architecture/order.ts';
import { literalOf, nameOf, nodesIn, parse, readSourceFiles } from './architecture/syntax.ts';
import { strangersInTransactions } from './architecture/transactions.ts';

const MOST_LINES = 250;

const files = readSourceFiles();
const imports = files.flatMap(importsOf);

describe('the files of src/', () => {
  it('have each a floor of the house to stand on', () => {
    expect(files.filter(({ path }) => floorOf(path) === undefined).map(({ path }) => path)).toEqual([]);
    const known = new Set(files.flatMap(({ path }) => [path, roomOf(path)]));
    const planned = [...FLOORS.flat().filter((name) => !name.startsWith('<')), ...FEATURES];
    expect(planned.filter((name) => !known.has(name))).toEqual([]);
  });

  it('import only what is below them, types as well as values', () => {
    const upwards = imports.filter((edge) => !goesDown(edge));
    expect(upwards.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
    expect(imports.length).toBeGreaterThan(files.length);
  });

  it('never need each other in a circle', () => {
    expect(circlesIn(imports)).toEqual([]);
  });

  it('live in rooms that are named after what they are about', () => {
    const aboutNothing = /^(?:utils?|common|shared|libs?|helpers?|misc|index)$/;
    const kebabCase = /^[a-z\d]+(?:-[a-z\d]+)*$/;
    const names = files.flatMap(({ path }) => path.replace(/\.ts$/, '').split('/'));
    expect(names.filter((name) => aboutNothing.test(name) || !kebabCase.test(name))).toEqual([]);
  });

  it(`have no more than ${MOST_LINES} lines`, () => {
    const lengths = files.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(lengths.filter(({ lines }) => lines > MOST_LINES)).toEqual([]);
  });

  it('export by name only, and nothing that is another file’s', () => {
    const exports = files.flatMap(({ path, syntax }) =>
      [...nodesIn(syntax)]
        .filter(
          ({ type, source }) => type === 'ExportDefaultDeclaration' || (type.startsWith('Export') && literalOf(source)),
        )
        .map(({ type }) => `${path}: ${type}`),
    );
    expect(exports).toEqual([]);
  });

  it('leave the environment to the configuration, which is handed it', () => {
    // libuv reads it by itself, before there is a configuration.
    const exception = 'thread-pool.ts';
    const handed = /\bloadConfig\(process\.env\b/g;
    const readers = files.filter(({ text, syntax }) => {
      const names = [...nodesIn(syntax)].map(nameOf);
      const readings = names.filter((name) => name === 'process.env').length - (text.match(handed)?.length ?? 0);
      return readings > 0 || packagesOf({ syntax }).some((name) => /^(?:node:)?process$/.test(name));
    });
    expect(readers.map(({ path }) => path)).toEqual([exception]);
    const handing = files.filter(({ text }) => text.match(handed)).map(({ path }) => path);
    expect(handing).toEqual([
      'cli/export-embedded.ts',
      'cli/migrate.ts',
      'cli/with-app.ts',
      'cli/worker.ts',
      'service-process.ts',
    ]);
  });

  it('await nothing inside a transaction but the transaction', () => {
    const strangers = files.flatMap(({ path, text, syntax }) =>
      strangersInTransactions(text, syntax).map((stranger) => `${path}: ${stranger}`),
    );
    expect(strangers).toEqual([]);
    expect(files.filter(({ text }) => text.includes('.$transaction(')).length).toBeGreaterThan(3);
  });
});

describe('goesDown', () => {
  it.each([
    ['main.ts', 'serve.ts', true],
    ['serve.ts', 'main.ts', false],
    ['server.ts', 'http/graphql.ts', true],
    ['http/graphql.ts', 'schema.ts', true],
    ['graphql/builder.ts', 'graphql/context.ts', true],
    ['graphql/context.ts', 'sessions/schema.ts', false],
    ['sessions/end.ts', 'graphql/errors.ts', false],
    ['sessions/end.ts', 'sessions/schema.ts', false],
    ['sessions/schema.ts', 'sessions/end.ts', true],
    ['users/schema.ts', 'sessions/types.ts', true],
    ['users/schema.ts', 'roles/schema.ts', true],
    ['roles/schema.ts', 'users/schema.ts', false],
    ['sessions/types.ts', 'users/first-administrator.ts', false],
    ['database/client.ts', 'app.ts', false],
    ['crypto/access-token.ts', 'config.ts', false],
    ['crypto/access-token.ts', 'fields/email-address.ts', false],
    ['attic/box.ts', 'errors.ts', false],
    ['app.ts', 'attic/box.ts', false],
  ])('from %s to %s: %s', (from, to, expected) => {
    expect(goesDown({ from, to })).toBe(expected);
  });
});

describe('importsOf', () => {
  it.each([
    ["import { a } from '../b/c.ts';"],
    ["import type { a } from '../b/c.ts';"],
    ["import a, { type b } from '../b/c.ts';"],
    ["import * as a from '../b/c.ts';"],
    ["import '../b/c.ts';"],
    ["export { a } from '../b/c.ts';"],
    ["export * from '../b/c.ts';"],
    ["export type * from '../b/c.ts';"],
    ["const a = await import('../b/c.ts');"],
    ["type A = import('../b/c.ts').A;"],
    ["const a = new URL('../b/c.ts', import.meta.url);"],
  ])('finds %s', (text) => {
    expect(importsOf({ path: 'a/a.ts', syntax: parse(text) })).toEqual([{ from: 'a/a.ts', to: 'b/c.ts' }]);
  });

  it('does not take text for an import', () => {
    const text = "// import { a } from './b.ts';\nconst a = \"import './b.ts'\"; const b = `from './b.ts'`;";
    expect(importsOf({ path: 'a.ts', syntax: parse(text) })).toEqual([]);
  });
});

describe('circlesIn', () => {
  it('finds files that need each other, at any distance', () => {
    const edges = (...pairs: string[]) => pairs.map((pair) => ({ from: pair.charAt(0), to: pair.charAt(1) }));
    expect(circlesIn(edges('ab', 'bc', 'ac', 'cd'))).toEqual([]);
    expect(circlesIn(edges('ab', 'bc', 'ca', 'dd'))).toEqual(['a → b → c → a', 'd → d']);
  });
});

describe('strangersInTransactions', () => {
  const find = (text: string) => strangersInTransactions(text, parse(text));
  const inside = (body: string) => `app.db.$transaction(async (transaction) => { ${body} });`;

  it.each([
    inside('await transaction.user.create({ data });'),
    inside('await transaction.$executeRaw`SELECT 1`; return 1;'),
    inside('await recordEvent(transaction, event); return openSession(app, transaction, client);'),
    inside('const { count } = await transaction.user.updateMany({}); return count === 0 ? null : newId();'),
    inside('const now = app.now(); const id = newId(); await transaction.user.delete({ where: { id } });'),
    inside('const rows = (await transaction.user.findMany()).map(toUser); return rows;'),
    'app.db.$transaction((transaction) => endSessions(app, transaction, client));',
    'async function f(transaction: Prisma.TransactionClient) { await transaction.user.count(); }',
    'async function f(app: App) { await hashPassword(app); await app.db.user.count(); }',
  ])('allows %s', (text) => {
    expect(find(text)).toEqual([]);
  });

  it.each([
    [inside('await app.db.user.count();'), 'app.db.user.count()'],
    [inside('await hashPassword(app, password);'), 'hashPassword(app, password)'],
    [inside("await fetch('https://example.com');"), "fetch('https://example.com')"],
    [inside('return findSignedIn(app, id);'), 'findSignedIn(app, id)'],
    [inside('if (a) { for (const b of c) await send(b); }'), 'send(b)'],
    [inside('await Promise.all([transaction.user.count()]);'), 'Promise.all([transaction.user.count()])'],
    [inside('void app.db.user.count();'), 'app.db'],
    [inside('const { db } = app; await find(db, transaction);'), 'db'],
    [inside('await find(prisma, transaction);'), 'prisma'],
    [inside('await find(app.database.pool, transaction);'), 'app.database'],
    ['app.db.$transaction((transaction) => endSessions(app));', 'endSessions(app)'],
    ['app.db.$transaction(work);', 'app.db.$transaction(work)'],
    ['const f = async (transaction: Transaction) => { await app.mailer.send(mail); };', 'app.mailer.send(mail)'],
    ['async function f(app: App, tx: Prisma.TransactionClient) { return app.hooks.call(app); }', 'app.hooks.call(app)'],
  ])('finds in %s', (text, stranger) => {
    expect(find(text)).toContain(stranger);
  });
});
