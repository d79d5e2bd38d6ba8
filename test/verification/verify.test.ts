import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { linkIn, mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import {
  accepted,
  invalidToken,
  logIn,
  requestVerification,
  VerifyEmail,
  verifyEmail,
} from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { asAdministrator, DeleteUser, RevokeUser, registeredToken, UpdateUser } from './operations.ts';

const TTL_SECONDS = 86_400;

let service: TestService;
let addresses = 0;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

function newAddress(): string {
  addresses += 1;
  return `verify-${addresses}@latchkey.test`;
}

function isVerified(email: string): Promise<boolean | undefined> {
  return service.app.db.user.findUnique({ where: { email } }).then((user) => user?.emailVerified);
}

function eventsOf(email: string, type: string) {
  return service.app.db.auditEvent.findMany({ where: { email, type } });
}

function proven(email: string) {
  return { __typename: 'VerifyEmailPayload', email };
}

async function userIdOf(email: string): Promise<string> {
  return (await service.app.db.user.findUniqueOrThrow({ where: { email } })).id;
}

describe('verifyEmail', () => {
  it('proves the address, so that its owner can sign in, and gives no session by itself', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    expect(await logIn(service, email)).toMatchObject({ code: 'EMAIL_NOT_VERIFIED' });

    expect(await verifyEmail(service, token)).toEqual(proven(email));

    expect(await service.app.db.session.count({ where: { user: { email } } })).toBe(0);
    expect(await logIn(service, email)).toMatchObject({ user: { email, emailVerified: true } });
  });

  it('is on record, with the client, in the transaction that proves the address', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    await service.execute(VerifyEmail, { token }, { headers: { 'user-agent': 'a browser' } });
    const id = await userIdOf(email);
    expect(await eventsOf(email, 'email.verified')).toEqual([
      expect.objectContaining({
        at: service.clock.now(),
        actorId: id,
        subjectId: id,
        ipAddress: '127.0.0.1',
        userAgent: 'a browser',
        requestId: expect.any(String),
        data: {},
      }),
    ]);
  });

  it('proves nothing when it cannot be put on record, and the token stays good', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    const { pool } = service.app.database;
    const failing = await startTestService({ database: service });
    await pool.query(`ALTER TABLE audit_events ADD CONSTRAINT full_up CHECK (type <> 'email.verified') NOT VALID`);
    try {
      const { errors } = await failing.execute(VerifyEmail, { token });
      expect(errors.map(({ extensions }) => extensions?.code)).toEqual(['INTERNAL_SERVER_ERROR']);
    } finally {
      await pool.query('ALTER TABLE audit_events DROP CONSTRAINT full_up');
      await failing.close();
    }
    expect(await isVerified(email)).toBe(false);
    expect(await verifyEmail(service, token)).toEqual(proven(email));
  });

  it('takes a token once', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    await verifyEmail(service, token);
    expect(await verifyEmail(service, token)).toEqual(invalidToken('ALREADY_USED'));
    expect(await eventsOf(email, 'email.verified')).toHaveLength(1);
  });

  it('takes a token until its last second, and not after', async () => {
    const [early, late] = [newAddress(), newAddress()];
    const [earlyToken, lateToken] = [await registeredToken(service, early), await registeredToken(service, late)];
    service.clock.advanceSeconds(TTL_SECONDS - 1);
    expect(await verifyEmail(service, earlyToken)).toEqual(proven(early));
    service.clock.advanceSeconds(1);
    expect(await verifyEmail(service, lateToken)).toEqual(invalidToken('EXPIRED'));
    expect(await isVerified(late)).toBe(false);
    // What was used up before it expired says so ever after.
    expect(await verifyEmail(service, earlyToken)).toEqual(invalidToken('ALREADY_USED'));
  });

  it('takes tokens for as long as EMAIL_VERIFICATION_TTL_SECONDS says', async () => {
    const environment = { EMAIL_VERIFICATION_TTL_SECONDS: '60' };
    const short = await startTestService({ database: service, environment });
    try {
      const [early, late] = [newAddress(), newAddress()];
      const [earlyToken, lateToken] = [await registeredToken(short, early), await registeredToken(short, late)];
      service.clock.advanceSeconds(59);
      expect(await verifyEmail(short, earlyToken)).toEqual(proven(early));
      service.clock.advanceSeconds(1);
      expect(await verifyEmail(short, lateToken)).toEqual(invalidToken('EXPIRED'));
    } finally {
      await short.close();
    }
  });

  it('is not done by opening the link, however often and in whatever way it is opened', async () => {
    const email = newAddress();
    await registeredToken(service, email);
    const [mail] = await mailsTo(service, email);
    const link = new URL(mail ? linkIn(mail) : '');
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) await (await fetch(link, { method })).text();
    const query = 'mutation ($token: String!) { verifyEmail(input: { token: $token }) { __typename } }';
    const token = link.searchParams.get('token') ?? '';
    const parameters = new URLSearchParams({ query, variables: JSON.stringify({ token }) });
    expect((await fetch(`${service.url}/graphql?${parameters}`)).status).toBe(405);
    expect(await isVerified(email)).toBe(false);
    expect(await verifyEmail(service, token)).toEqual(proven(email));
  });

  it('proves the address of an account that waits for its activation, and activates nothing', async () => {
    const { user } = await createPerson(service, { email: newAddress(), status: 'PENDING', emailVerified: false });
    await requestVerification(service, user.email);
    expect(await verifyEmail(service, await newestTokenTo(service, user.email))).toEqual(proven(user.email));
    const now = await service.app.db.user.findUniqueOrThrow({ where: { id: user.id } });
    expect(now).toMatchObject({ status: 'PENDING', emailVerified: true });
  });
});

describe('verifyEmail refuses, as no longer valid,', () => {
  it('a token once a newer one was sent, which works', async () => {
    const email = newAddress();
    const older = await registeredToken(service, email);
    expect(await requestVerification(service, email)).toEqual(accepted);
    const newer = await newestTokenTo(service, email);
    expect(newer).not.toBe(older);
    expect(await verifyEmail(service, older)).toEqual(invalidToken('REVOKED'));
    expect(await verifyEmail(service, newer)).toEqual(proven(email));
    expect(await verifyEmail(service, older)).toEqual(invalidToken('REVOKED'));
  });

  it('a token once the account was revoked, and still when it is active again', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    await service.execute(RevokeUser, { id: await userIdOf(email) }, await asAdministrator(service));
    expect(await verifyEmail(service, token)).toEqual(invalidToken('REVOKED'));
    await service.app.db.user.update({ where: { email }, data: { status: 'ACTIVE' } });
    expect(await verifyEmail(service, token)).toEqual(invalidToken('REVOKED'));
    expect(await isVerified(email)).toBe(false);
  });

  it('a token of a revoked account in whichever way it was revoked', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    await service.app.db.user.update({ where: { email }, data: { status: 'REVOKED' } });
    expect(await verifyEmail(service, token)).toEqual(invalidToken('REVOKED'));
    // Nothing was used up by the refusal.
    await service.app.db.user.update({ where: { email }, data: { status: 'ACTIVE' } });
    expect(await verifyEmail(service, token)).toEqual(proven(email));
  });

  it('a token for an address that the account no longer has, and still when it has it back', async () => {
    const [email, moved] = [newAddress(), newAddress()];
    const token = await registeredToken(service, email);
    const administrators = await asAdministrator(service);
    const id = await userIdOf(email);
    await service.execute(UpdateUser, { input: { id, email: moved } }, administrators);
    expect(await verifyEmail(service, token)).toEqual(invalidToken('REVOKED'));
    expect(await isVerified(moved)).toBe(false);
    await service.execute(UpdateUser, { input: { id, email } }, administrators);
    expect(await verifyEmail(service, token)).toEqual(invalidToken('REVOKED'));
    expect(await isVerified(email)).toBe(false);
  });

  it('a token for another address than the account has, in whichever way it was changed', async () => {
    const [email, moved] = [newAddress(), newAddress()];
    const token = await registeredToken(service, email);
    await service.app.db.user.update({ where: { email }, data: { email: moved } });
    expect(await verifyEmail(service, token)).toEqual(invalidToken('REVOKED'));
    expect(await isVerified(moved)).toBe(false);
  });

  it('a token that was sent before an administrator said that the address is not proven', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    const administrators = await asAdministrator(service);
    const id = await userIdOf(email);
    await service.execute(UpdateUser, { input: { id, emailVerified: true } }, administrators);
    await service.execute(UpdateUser, { input: { id, emailVerified: false } }, administrators);
    expect(await verifyEmail(service, token)).toEqual(invalidToken('REVOKED'));
  });

  it('what is revoked and used up or expired, too: the one reason that a new link mends comes first', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    await requestVerification(service, email);
    service.clock.advanceSeconds(TTL_SECONDS);
    expect(await verifyEmail(service, token)).toEqual(invalidToken('REVOKED'));
  });
});

describe('verifyEmail finds nothing', () => {
  it('for the token of a deleted account, nor for a new one with its address', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    await service.execute(DeleteUser, { id: await userIdOf(email) }, await asAdministrator(service));
    expect(await verifyEmail(service, token)).toEqual(invalidToken('NOT_FOUND'));
    await registeredToken(service, email);
    expect(await verifyEmail(service, token)).toEqual(invalidToken('NOT_FOUND'));
    expect(await isVerified(email)).toBe(false);
  });
});
