import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import {
  accepted,
  confirmEmailChange,
  invalidCredentials,
  invalidToken,
  logIn,
  register,
  registrant,
  requestEmailChange,
  verifyEmail,
} from '../registration/operations.ts';
import { faultsOf, Me, Refresh } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { asAdministrator } from '../verification/operations.ts';
import { ActivateUser, NEW_PASSWORD, passwordReset, requestReset, resetPassword, resetTokenFor } from './operations.ts';

const ATTACKER_PASSWORD = 'the attacker waits for the owner';

let services: Readonly<Record<'required' | 'optional' | 'off', TestService>>;

beforeAll(async () => {
  const required = await startTestService();
  const another = (EMAIL_VERIFICATION: string) =>
    startTestService({ database: required, environment: { EMAIL_VERIFICATION } });
  services = { required, optional: await another('optional'), off: await another('off') };
});
afterEach(() => {
  for (const service of Object.values(services)) expect(faultsOf(service)).toEqual([]);
});
afterAll(async () => {
  await services?.off.close();
  await services?.optional.close();
  await services?.required.close();
});

/** Somebody else than its owner registers the address, with a password of theirs. */
function registerAsAttacker(service: TestService, email: string) {
  return register(service, registrant(email, { password: ATTACKER_PASSWORD, firstName: 'Mallory' }));
}

describe('an address that somebody registered who does not own it', () => {
  it('is its owner’s after a reset: the attacker’s password is good for nothing', async () => {
    const service = services.required;
    const email = 'victim@latchkey.test';
    await registerAsAttacker(service, email);
    // The owner registers, is told that the address is taken, and does what the mail says.
    await register(service, registrant(email));
    const [told] = await mailsTo(service, email);
    expect(told?.subject).toBe('You already have an account');
    expect(told?.text).toContain('ask for a new one on the sign-in page');

    expect(await resetPassword(service, await resetTokenFor(service, email))).toEqual(passwordReset(email));

    expect(await logIn(service, email, NEW_PASSWORD)).toMatchObject({ user: { email, emailVerified: true } });
    expect(await logIn(service, email, ATTACKER_PASSWORD)).toEqual(invalidCredentials);
  });

  it('cannot be proven any more with the link from the registration, opened late or by a scanner', async () => {
    const service = services.required;
    const email = 'late.link@latchkey.test';
    await registerAsAttacker(service, email);
    const verification = await newestTokenTo(service, email);
    await resetPassword(service, await resetTokenFor(service, email));
    expect(await verifyEmail(service, verification)).toEqual(invalidToken('REVOKED'));
    expect(await logIn(service, email, ATTACKER_PASSWORD)).toEqual(invalidCredentials);
  });

  it('is its owner’s, too, when the owner opened the wrong link first', async () => {
    const service = services.required;
    const email = 'opened@latchkey.test';
    await registerAsAttacker(service, email);
    await verifyEmail(service, await newestTokenTo(service, email));
    const attacker = await signIn(service, { email, password: ATTACKER_PASSWORD });
    await resetPassword(service, await resetTokenFor(service, email));
    expect((await service.execute(Me, {}, attacker)).data?.me).toBeNull();
    expect(await logIn(service, email, ATTACKER_PASSWORD)).toEqual(invalidCredentials);
  });

  it.each(['optional', 'off'] as const)(
    'with EMAIL_VERIFICATION=%s, when the attacker is signed in from the start: sessions, refresh tokens and links are dead',
    async (mode) => {
      const service = services[mode];
      const [email, attackers] = [`${mode}@latchkey.test`, `${mode}.attacker@latchkey.test`];
      await registerAsAttacker(service, email);
      const session = await signIn(service, { email, password: ATTACKER_PASSWORD });
      const change = { newEmail: attackers, currentPassword: ATTACKER_PASSWORD };
      expect(await requestEmailChange(service, session.accessToken, change)).toEqual(accepted);
      const takeover = await newestTokenTo(service, attackers);

      expect(await resetPassword(service, await resetTokenFor(service, email))).toEqual(passwordReset(email));

      expect((await service.execute(Me, {}, session)).data?.me).toBeNull();
      const { refreshToken } = session;
      const refreshed = await service.execute(Refresh, { input: { refreshToken } });
      expect(refreshed.data?.refreshToken).toMatchObject({ code: 'INVALID_REFRESH_TOKEN' });
      expect(await confirmEmailChange(service, takeover)).toEqual(invalidToken('REVOKED'));
      expect(await logIn(service, email, ATTACKER_PASSWORD)).toEqual(invalidCredentials);
      expect(await logIn(service, email, NEW_PASSWORD)).toMatchObject({ user: { email, emailVerified: true } });
    },
  );

  it('is signed in to by none of the identities that the attacker linked, which is on record', async () => {
    const service = services.required;
    const { db } = service.app;
    const email = 'identities@latchkey.test';
    await registerAsAttacker(service, email);
    const { id: userId } = await db.user.findUniqueOrThrow({ where: { email } });
    const other = await createPerson(service);
    const identityOf = (owner: string, subject: string) => ({
      userId: owner,
      issuer: 'https://accounts.latchkey.test',
      subject,
      createdAt: service.app.now(),
      lastUsedAt: service.app.now(),
    });
    await db.identity.createMany({
      data: [identityOf(userId, 'one'), identityOf(userId, 'two'), identityOf(other.user.id, 'three')],
    });

    await resetPassword(service, await resetTokenFor(service, email));

    expect((await db.identity.findMany()).map(({ subject }) => subject)).toEqual(['three']);
    const unlinked = { type: 'identity.unlinked', actorId: userId, subjectId: userId, email };
    expect(await db.auditEvent.count({ where: unlinked })).toBe(2);
  });

  it('is not given away by asking for a new password: the attacker gets no mail, and the account stays as it is', async () => {
    const service = services.required;
    const email = 'asked@latchkey.test';
    await registerAsAttacker(service, email);
    const before = await service.app.db.user.findUniqueOrThrow({ where: { email } });
    expect(await requestReset(service, email)).toEqual(accepted);
    expect(await service.app.db.user.findUniqueOrThrow({ where: { email } })).toEqual(before);
    const mails = await service.app.db.mail.findMany({ where: { userId: before.id } });
    expect(mails.map(({ recipient }) => recipient)).toEqual([email, email]);
  });

  it('is out of a reset’s reach while it waits for an administrator, and its owner’s afterwards', async () => {
    const service = await startTestService({
      database: services.required,
      environment: { REGISTRATION: 'approval' },
    });
    try {
      const email = 'approval@latchkey.test';
      await registerAsAttacker(service, email);
      await requestReset(service, email);
      expect((await mailsTo(service, email)).map(({ subject }) => subject)).toEqual([
        'Please confirm your e-mail address',
      ]);
      const { id } = await service.app.db.user.findUniqueOrThrow({ where: { email } });
      await service.execute(ActivateUser, { id }, await asAdministrator(service));
      await resetPassword(service, await resetTokenFor(service, email));
      expect(await logIn(service, email, ATTACKER_PASSWORD)).toEqual(invalidCredentials);
    } finally {
      await service.close();
    }
  });

  it('is greeted in no mail by the name that the attacker chose, until the owner has proven it', async () => {
    const service = services.required;
    const email = 'greeted@latchkey.test';
    await registerAsAttacker(service, email);
    await requestReset(service, email);
    for (const { text, html } of await mailsTo(service, email)) expect(text + html).not.toContain('Mallory');
  });
});
