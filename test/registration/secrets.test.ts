import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailsIn, newestTokenTo } from '../mailbox/reading.ts';
import { signIn } from '../support/people.ts';
import { Secrets } from '../support/secrets.ts';
import { startTestService, type TestService } from '../support/service.ts';
import {
  confirmEmailChange,
  logIn,
  register,
  registrant,
  requestEmailChange,
  requestVerification,
  verifyEmail,
} from './operations.ts';

const EMAIL = 'indiscreet@latchkey.test';
const NEW_EMAIL = 'indiscreet.as.ever@latchkey.test';

let service: TestService;
const secrets = new Secrets();

function passwordNamed(what: string): string {
  return secrets.make(what);
}

/** A token is good for what its last part says; so that is what must not be found. */
async function tokenTo(address: string): Promise<string> {
  const token = await newestTokenTo(service, address);
  secrets.keep(`the bytes of a token to ${address}`, Buffer.from(token, 'base64url').subarray(-32).toString('hex'));
  return secrets.keep(`a token to ${address}`, token, token.slice(-24));
}

// Everything that can be done with an account before and after it is proven, and every way in which it fails.
beforeAll(async () => {
  service = await startTestService();
  const password = passwordNamed('the password');
  await register(service, registrant(EMAIL, { password: passwordNamed('a password too long').repeat(20) }));
  await register(service, registrant('no address', { password: passwordNamed('a password for no address') }));
  await register(service, registrant(password, { password }));
  await failing('user.registered', () => register(service, registrant(EMAIL, { password })));
  await register(service, registrant(EMAIL, { password }));
  await register(service, registrant(EMAIL, { password: passwordNamed('a password for a taken address') }));
  const first = await tokenTo(EMAIL);
  await requestVerification(service, EMAIL);
  const second = await tokenTo(EMAIL);
  for (const token of [first, secrets.make('no token'), `${second}x`, second.slice(1)])
    await verifyEmail(service, token);
  await failing('email.verified', () => verifyEmail(service, second));
  for (let use = 1; use <= 2; use += 1) await verifyEmail(service, second);

  const { accessToken } = await signIn(service, { email: EMAIL, password });
  const change = (currentPassword: string, newEmail = NEW_EMAIL) =>
    requestEmailChange(service, accessToken, { newEmail, currentPassword });
  await change(passwordNamed('a wrong password'));
  await change(password, password);
  await failing('email.change_requested', () => change(password));
  await change(password);
  const third = await tokenTo(NEW_EMAIL);
  await failing('email.changed', () => confirmEmailChange(service, third));
  for (let use = 1; use <= 2; use += 1) await confirmEmailChange(service, third);
  await logIn(service, NEW_EMAIL, password);
});
afterAll(() => service.close());

/** With a database that does not take the event, so that a fault is logged. */
async function failing(type: string, attempt: () => Promise<unknown>): Promise<void> {
  const { pool } = service.app.database;
  await pool.query(`ALTER TABLE audit_events ADD CONSTRAINT full_up CHECK (type <> '${type}') NOT VALID`);
  expect(await attempt()).toBeNull();
  await pool.query('ALTER TABLE audit_events DROP CONSTRAINT full_up');
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

describe('passwords and tokens', () => {
  it('stand in no table', async () => {
    const stored = await everythingStored();
    expect(stored).toContain(NEW_EMAIL);
    expect(secrets.in(stored)).toEqual([]);
  });

  it('stand in no line of the log, whatever fails', () => {
    const log = service.log.join('\n');
    expect(log.match(/"msg":"unexpected error"/g)).toHaveLength(4);
    expect(secrets.in(log)).toEqual([]);
  });

  it('would be found, as tokens are in the mailbox', async () => {
    expect(secrets.in(JSON.stringify(await mailsIn(service)))).toEqual([
      `a token to ${EMAIL}`,
      `a token to ${EMAIL}`,
      `a token to ${NEW_EMAIL}`,
    ]);
  });
});
