import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailsIn, newestTokenTo } from '../mailbox/reading.ts';
import { Secrets } from '../support/secrets.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { createAdministrator, type Staff } from '../users/staff.ts';
import { accept, InvitationById, invited, preview, resend, revoke } from './operations.ts';

let service: TestService;
let admin: Staff;
const secrets = new Secrets();
const answers: string[] = [];

/** A token is good for what its last part says; so that is what must not be found. */
async function tokenTo(address: string): Promise<string> {
  const token = await newestTokenTo(service, address);
  secrets.keep(`the bytes of a token to ${address}`, Buffer.from(token, 'base64url').subarray(-32).toString('hex'));
  return secrets.keep(`a token to ${address}`, token, token.slice(-24));
}

// Everything that can be done with an invitation, and every way in which accepting it fails.
beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
  const { invitation } = await invited(service, admin);
  const first = await tokenTo(invitation.email);
  answers.push(JSON.stringify([invitation, await resend(service, admin, invitation.id)]));
  const second = await tokenTo(invitation.email);
  for (const token of [first, secrets.make('no token'), `${second}x`, second.slice(1)]) {
    answers.push(JSON.stringify([await accept(service, token), await preview(service, token)]));
  }
  await accept(service, second, { password: secrets.make('a password too long').repeat(20) });
  const password = secrets.make('the password');
  await accept(service, second, { firstName: password.repeat(10), password });
  const { pool } = service.app.database;
  await pool.query(`ALTER TABLE audit_events ADD CONSTRAINT full_up CHECK (type <> 'invitation.accepted') NOT VALID`);
  expect(await accept(service, second, { password })).toBeNull();
  await pool.query('ALTER TABLE audit_events DROP CONSTRAINT full_up');
  for (let use = 1; use <= 2; use += 1) await accept(service, second, { password });

  const other = await invited(service, admin);
  await tokenTo(other.invitation.email);
  answers.push(JSON.stringify(await revoke(service, admin, other.invitation.id)));
  const read = await service.execute(InvitationById, { id: other.invitation.id }, admin.as);
  answers.push(JSON.stringify(read.data));
  await tokenTo((await invited(service, admin)).invitation.email);
  await service.runJobs();
});
afterAll(() => service.close());

describe('passwords and tokens of invitations', () => {
  it('stand in no table, the queue’s included', async () => {
    const { pool } = service.app.database;
    const { rows: tables } = await pool.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    const rows = [];
    for (const { name } of tables) rows.push(...(await pool.query(`SELECT t::text AS row FROM ${name} t`)).rows);
    const stored = rows.map(({ row }) => row).join('\n');
    expect(stored).toContain('invitation.resent');
    expect(stored).toContain('mailId');
    expect(secrets.in(stored)).toEqual([]);
  });

  it('stand in no line of the log, whatever fails', () => {
    const log = service.log.join('\n');
    expect(log.match(/"msg":"unexpected error"/g)).toHaveLength(1);
    expect(secrets.in(log)).toEqual([]);
  });

  it('stand in no answer', () => {
    expect(answers.join()).toContain('"REVOKED"');
    expect(secrets.in(answers.join())).toEqual([]);
  });

  it('would be found, as tokens are in the mailbox', async () => {
    expect(secrets.in(JSON.stringify(await mailsIn(service)))).toHaveLength(1);
  });
});
