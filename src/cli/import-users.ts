import { open } from 'node:fs/promises';
import { Command } from 'commander';
import type { App } from '../app.ts';
import { recordEvent } from '../audit/service.ts';
import type { Prisma } from '../database/generated/client.ts';
import { EmailTakenError } from '../errors.ts';
import { insertUser } from '../users/insert.ts';
import { CommandError } from './command-error.ts';
import { type ImportRecord, parseImportRecord } from './import-record.ts';
import { type Line, readLines } from './lines.ts';
import { rolesNamed } from './roles-named.ts';
import { operator, withApp } from './with-app.ts';

const MAX_LINE_BYTES = 64 * 1024;

interface Counts {
  imported: number;
  /** There was an account with the address already. */
  existing: number;
  /** Something was wrong with the line. */
  wrong: number;
}

export const importUsersCommand = new Command('import-users')
  .summary('bring users along from another system')
  .description(
    'bring users along from another system: a JSON object a line, with email, firstName, lastName and, if you like, ' +
      'status, emailVerified, roles (names), passwordHash (argon2, bcrypt, scrypt or PBKDF2 as passlib, Werkzeug and ' +
      'Django write them) and createdAt. Addresses that have an account are left alone, so it may be run again. Each ' +
      'line is imported as a whole or not at all; with a line that is wrong, the exit code is 1.',
  )
  .argument('<file>', 'the file, or - for standard input')
  .option('--dry-run', 'only report what would be done', false)
  .action(async (file: string, { dryRun }: { readonly dryRun: boolean }) => {
    const input = file === '-' ? process.stdin : (await open(file)).createReadStream();
    const { imported, existing, wrong } = await withApp((app) => importUsers(app, input, dryRun));
    const verb = dryRun ? 'would import' : 'imported';
    process.stdout.write(`${verb} ${imported}, skipped ${existing + wrong} (${existing} existing, ${wrong} wrong)\n`);
    if (wrong > 0) process.exitCode = 1;
  });

async function importUsers(app: App, input: AsyncIterable<Buffer>, dryRun: boolean): Promise<Counts> {
  const counts: Counts = { imported: 0, existing: 0, wrong: 0 };
  const importRecord = dryRun ? rehearsal(app) : (record: ImportRecord) => importUser(app, record);
  for await (const line of readLines(input, MAX_LINE_BYTES)) {
    if (line.text?.trim() === '') continue;
    try {
      await importRecord(recordOf(line));
      counts.imported += 1;
    } catch (error) {
      if (error instanceof EmailTakenError) counts.existing += 1;
      else if (error instanceof CommandError) counts.wrong += 1;
      else {
        process.stderr.write(`stopped at line ${line.number}, which was not imported\n`);
        throw error;
      }
      process.stdout.write(`line ${line.number}: ${error.message}\n`);
    }
  }
  // Plans that were made for a handful of users are kept, on every connection, until there are statistics of the many. Who
  // has a table locked is at work on it, and is not waited for.
  if (!dryRun && counts.imported > 0) await app.db.$executeRaw`ANALYZE (SKIP_LOCKED) users, user_roles`;
  return counts;
}

function recordOf({ text }: Line): ImportRecord {
  if (text === null) throw new CommandError(`This is not UTF-8, or longer than ${MAX_LINE_BYTES} bytes.`);
  return parseImportRecord(text);
}

/** The user is there, whole and on record, or nothing has changed. */
async function importUser(app: App, { createdAt, ...record }: ImportRecord): Promise<void> {
  const { roles: roleNames, ...fields } = record;
  await app.db.$transaction(async (transaction) => {
    const roles = await rolesNamed(transaction, roleNames);
    const user = await insertUser(app, transaction, { ...fields, remark: null, roleIds: roles.map(({ id }) => id) });
    if (createdAt !== undefined) {
      await transaction.user.update({ where: { id: user.id }, data: { createdAt }, select: { id: true } });
    }
    await recordImport(transaction, app.now(), user.id, record);
  });
}

function recordImport(
  transaction: Prisma.TransactionClient,
  at: Date,
  subjectId: string,
  { email, status, emailVerified, roles, passwordHash }: Omit<ImportRecord, 'createdAt'>,
): Promise<void> {
  return recordEvent(transaction, {
    type: 'user.imported',
    at,
    actorId: null,
    subjectId,
    email,
    client: operator,
    data: { status, emailVerified, roles, hasPassword: passwordHash !== null },
  });
}

/** Fails where importing would, and changes nothing. Keeps the addresses it has seen, unlike the import itself. */
function rehearsal(app: App): (record: ImportRecord) => Promise<void> {
  const seen = new Set<string>();
  return async ({ email, roles }) => {
    await app.db.$transaction((transaction) => rolesNamed(transaction, roles));
    const existing = seen.has(email) || (await app.db.user.findUnique({ where: { email }, select: { id: true } }));
    if (existing) throw new EmailTakenError();
    seen.add(email);
  };
}
