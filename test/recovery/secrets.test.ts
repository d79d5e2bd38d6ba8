import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailsIn, newestTokenTo } from '../mailbox/reading.ts';
import { logIn } from '../registration/operations.ts';
import { createPerson } from '../support/people.ts';
import { Secrets } from '../support/secrets.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { preview, RequestReset, requestReset, resetPassword } from './operations.ts';

let service: TestService;
let email: string;
const secrets = new Secrets();

/** A token is good for what its last part says; so that is what must not be found. */
async function newToken(what: string): Promise<string> {
  await requestReset(service, email);
  const token = await newestTokenTo(service, email);
  secrets.keep(`the bytes of ${what}`, Buffer.from(token, 'base64url').subarray(-32).toString('hex'));
  return secrets.keep(what, token, token.slice(-24));
}

// Everything that can be done with a link, and every way in which it fails.
beforeAll(async () => {
  service = await startTestService();
  ({ email } = (await createPerson(service)).user);
  const password = () => secrets.make('a password');
  // People type passwords into address fields.
  await requestReset(service, password());
  const first = await newToken('the first token');
  // A job that waits.
  await service.execute(RequestReset, { email });
  await failing('one_time_tokens', 'expires_at IS NULL', () => requestReset(service, email));
  const second = await newToken('the second token');
  for (const token of [first, secrets.make('no token'), `${second}x`, second.slice(1), second]) {
    await preview(service, token);
    await resetPassword(service, token, 'short');
    await resetPassword(service, token, password().repeat(20));
  }
  expect(
    await failing('audit_events', `type <> 'password.reset'`, () => resetPassword(service, second, password())),
  ).toBeNull();
  const final = password();
  for (let use = 1; use <= 2; use += 1) await resetPassword(service, second, final);
  expect(await logIn(service, email, final)).toMatchObject({ user: { email } });
});
afterAll(() => service.close());

/** With a database that does not take what is written, so that a fault is logged. */
async function failing<T>(table: string, check: string, attempt: () => Promise<T>): Promise<T> {
  const { pool } = service.app.database;
  await pool.query(`ALTER TABLE ${table} ADD CONSTRAINT full_up CHECK (${check}) NOT VALID`);
  const answer = await attempt();
  await pool.query(`ALTER TABLE ${table} DROP CONSTRAINT full_up`);
  return answer;
}

async function everythingStored(): Promise<string> {
  const { pool } = service.app.database;
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
  );
  expect(tables.length).toBeGreaterThan(8);
  const rows = [];
  for (const { name } of tables) rows.push(...(await pool.query(`SELECT t::text AS row FROM ${name} t`)).rows);
  return rows.map(({ row }) => row).join('\n');
}

describe('passwords and reset tokens', () => {
  it('stand in no table, waiting jobs included', async () => {
    const stored = await everythingStored();
    expect(stored).toContain(email);
    expect(secrets.in(stored)).toEqual([]);
  });

  it('stand in no line of the log, whatever fails', () => {
    const log = service.log.join('\n');
    expect(log.match(/"msg":"unexpected error"/g)).toHaveLength(1);
    expect(secrets.in(log)).toEqual([]);
  });

  it('would be found, as tokens are in the mailbox', async () => {
    expect(secrets.in(JSON.stringify(await mailsIn(service)))).toEqual(['the first token', 'the second token']);
  });
});
