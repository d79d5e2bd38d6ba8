import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import { mailsTo } from '../mailbox/reading.ts';
import { invalidCredentials, invalidToken, logIn, requestEmailChange } from '../registration/operations.ts';
import { faultsOf, Me, Refresh } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { asAdministrator, DeleteUser, RevokeUser, UpdateUser } from '../verification/operations.ts';
import {
  ActivateUser,
  forgetful,
  NEW_PASSWORD,
  passwordReset,
  preview,
  ResetPassword,
  requestReset,
  resetPassword,
  resetTokenFor,
  userInactive,
} from './operations.ts';

const TTL_SECONDS = 7200;

const ResetTwice = graphql(`
  mutation RecoveryResetTwice($token: String!, $password: String!) {
    first: resetPassword(input: { token: $token, password: $password }) {
      __typename
    }
    second: resetPassword(input: { token: $token, password: $password }) {
      __typename
    }
  }
`);

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

function storedUser(id: string) {
  return service.app.db.user.findUniqueOrThrow({ where: { id } });
}

async function setUser(id: string, data: Parameters<TestService['app']['db']['user']['update']>[0]['data']) {
  await service.app.db.user.update({ where: { id }, data });
}

function kindsTo(recipient: string): Promise<readonly string[]> {
  return service.app.db.mail
    .findMany({ where: { recipient }, orderBy: { id: 'asc' } })
    .then((mails) => mails.map(({ kind }) => kind));
}

describe('resetPassword', () => {
  it('makes the new password the only one', async () => {
    const { user, password, token } = await forgetful(service);
    expect(await resetPassword(service, token)).toEqual(passwordReset(user.email));
    expect(await logIn(service, user.email, password)).toEqual(invalidCredentials);
    expect(await logIn(service, user.email, NEW_PASSWORD)).toMatchObject({ user: { id: user.id } });
  });

  it('changes nothing until the link is used: the old password and every session stand', async () => {
    const person = await createPerson(service);
    const credentials = { email: person.user.email, password: person.password };
    const session = await signIn(service, credentials);
    const token = await resetTokenFor(service, person.user.email);
    await preview(service, token);

    expect(await storedUser(person.user.id)).toEqual({ ...person.user, lastLoginAt: service.app.now() });
    expect((await service.execute(Me, {}, session)).data?.me).not.toBeNull();
    await signIn(service, credentials);
  });

  it('ends every session of the user, and of nobody else, and gives none', async () => {
    const person = await createPerson(service);
    const other = await createPerson(service);
    const credentials = { email: person.user.email, password: person.password };
    const sessions = [await signIn(service, credentials), await signIn(service, credentials)];
    const otherSession = await signIn(service, { email: other.user.email, password: other.password });

    const token = await resetTokenFor(service, person.user.email);
    const answer = await service.execute(ResetPassword, { token, password: NEW_PASSWORD });

    expect(answer.data?.resetPassword).toEqual(passwordReset(person.user.email));
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(await service.app.db.session.count({ where: { userId: person.user.id, revokedAt: null } })).toBe(0);
    expect(await service.app.db.session.count({ where: { userId: person.user.id } })).toBe(2);
    for (const session of sessions) {
      const me = await service.execute(Me, {}, session);
      expect(me.errors.map(({ extensions }) => extensions?.code)).toEqual(['UNAUTHENTICATED']);
      const { refreshToken } = session;
      const refreshed = await service.execute(Refresh, { input: { refreshToken } });
      expect(refreshed.data?.refreshToken).toMatchObject({ code: 'INVALID_REFRESH_TOKEN' });
    }
    expect((await service.execute(Me, {}, otherSession)).data?.me).not.toBeNull();
  });

  it('is on record with the sessions that it ended, without a secret, and owes a notice to the address', async () => {
    const person = await createPerson(service);
    await signIn(service, { email: person.user.email, password: person.password });
    const token = await resetTokenFor(service, person.user.email);
    await resetPassword(service, token, NEW_PASSWORD, { headers: { 'user-agent': 'a browser' } });

    const events = await service.app.db.auditEvent.findMany({
      where: { subjectId: person.user.id, type: { not: 'login.succeeded' } },
      orderBy: { id: 'asc' },
    });
    const common = {
      id: expect.any(String),
      at: service.app.now(),
      actorId: person.user.id,
      subjectId: person.user.id,
      email: person.user.email,
      ipAddress: '127.0.0.1',
      userAgent: 'a browser',
      requestId: expect.any(String),
    };
    expect(events).toEqual([
      { ...common, type: 'session.revoked', data: { reason: 'password_reset', revokedSessions: 1 } },
      { ...common, type: 'password.reset', data: { revokedSessions: 1, verifiedEmail: false } },
    ]);
    expect(await kindsTo(person.user.email)).toEqual(['password_reset', 'password_reset_done']);
    const [notice] = await mailsTo(service, person.user.email);
    expect(notice).toMatchObject({ subject: 'You have a new password' });
    expect(notice?.text).not.toMatch(/https?:/);
    const secrets = [NEW_PASSWORD, token.slice(-24)];
    const told = JSON.stringify([events, notice, service.log]);
    for (const secret of secrets) expect(told).not.toContain(secret);
  });

  it('proves the address, and leaves the rest of the account as it is', async () => {
    const { user, token } = await forgetful(service, { emailVerified: false });
    await logIn(service, user.email, 'not the password at all');
    const failedAt = service.app.now();
    service.clock.advanceSeconds(60);
    await resetPassword(service, token);
    expect(await storedUser(user.id)).toEqual({
      ...user,
      emailVerified: true,
      passwordHash: expect.not.stringContaining(user.passwordHash ?? ''),
      lastUnsuccessfulLoginAt: failedAt,
      updatedAt: service.app.now(),
    });
    const [event] = await service.app.db.auditEvent.findMany({ where: { subjectId: user.id, type: 'password.reset' } });
    expect(event?.data).toEqual({ revokedSessions: 0, verifiedEmail: true });
  });

  it('gives a password to an account that had none', async () => {
    const { user, token } = await forgetful(service, { password: null });
    expect(await resetPassword(service, token)).toEqual(passwordReset(user.email));
    expect(await logIn(service, user.email, NEW_PASSWORD)).toMatchObject({ user: { id: user.id } });
  });

  it('kills every other link of the user', async () => {
    const { user, password, token } = await forgetful(service);
    const { accessToken } = await signIn(service, { email: user.email, password });
    await requestEmailChange(service, accessToken, { newEmail: `new.${user.email}`, currentPassword: password });
    await resetPassword(service, token);
    const rows = await service.app.db.oneTimeToken.findMany({ where: { userId: user.id }, orderBy: { id: 'asc' } });
    expect(rows.map(({ purpose, consumedAt, revokedAt }) => ({ purpose, consumedAt, revokedAt }))).toEqual([
      { purpose: 'PASSWORD_RESET', consumedAt: service.app.now(), revokedAt: null },
      { purpose: 'EMAIL_CHANGE', consumedAt: null, revokedAt: service.app.now() },
    ]);
  });

  it('takes a token once', async () => {
    const { user, token } = await forgetful(service);
    expect(await resetPassword(service, token)).toEqual(passwordReset(user.email));
    expect(await resetPassword(service, token, 'nineteen tall giraffes in a row')).toEqual(
      invalidToken('ALREADY_USED'),
    );
    expect(await logIn(service, user.email, NEW_PASSWORD)).toMatchObject({ user: { id: user.id } });
  });

  it('takes a token for two hours, and not a second longer', async () => {
    const [first, second] = [await forgetful(service), await forgetful(service)];
    service.clock.advanceSeconds(TTL_SECONDS - 1);
    expect(await resetPassword(service, first.token)).toEqual(passwordReset(first.user.email));
    service.clock.advanceSeconds(1);
    expect(await resetPassword(service, second.token)).toEqual(invalidToken('EXPIRED'));
    expect(await resetPassword(service, first.token)).toEqual(invalidToken('ALREADY_USED'));
    expect(await storedUser(second.user.id)).toEqual(second.user);
  });

  it('takes the newest link alone', async () => {
    const { user, token: older } = await forgetful(service);
    const newer = await resetTokenFor(service, user.email);
    expect(newer).not.toBe(older);
    expect(await resetPassword(service, older)).toEqual(invalidToken('REVOKED'));
    service.clock.advanceSeconds(TTL_SECONDS);
    // What is revoked and too old, too, is called revoked.
    expect(await resetPassword(service, older)).toEqual(invalidToken('REVOKED'));
    expect(await resetPassword(service, newer)).toEqual(invalidToken('EXPIRED'));
  });

  it.each([
    ['short', 'too short', 'TOO_SHORT'],
    ['long', 'x1 '.repeat(100), 'TOO_LONG'],
    ['common', 'passwordpassword', 'REPEATED_PATTERN'],
    ['that is made of the name', 'noether-emmy-noether-emmy!', 'CONTAINS_PERSONAL_DATA'],
    ['with half a character', 'seventeen little \ud83d goats', 'INVALID_CHARACTERS'],
  ])('refuses a password %s, and uses nothing up', async (_case, password, code) => {
    const { user, token } = await forgetful(service);
    expect(await resetPassword(service, token, password)).toEqual({
      __typename: 'ValidationError',
      code: 'VALIDATION_FAILED',
      message: 'The input is not valid.',
      fields: [{ path: ['input', 'password'], code }],
    });
    expect(await storedUser(user.id)).toEqual(user);
    expect(await resetPassword(service, token)).toEqual(passwordReset(user.email));
  });

  it('takes every character in a password, and the same one in its other forms', async () => {
    const { user, token } = await forgetful(service);
    expect(await resetPassword(service, token, 'seventeen\0 cafe\u0301s & goats')).toEqual(passwordReset(user.email));
    expect(await logIn(service, user.email, 'seventeen\0 caf\u00e9s & goats')).toMatchObject({ user: { id: user.id } });
  });

  it('looks at the token before the password, whose rules know the person', async () => {
    const { token } = await forgetful(service);
    await resetPassword(service, token);
    expect(await resetPassword(service, token, 'short')).toEqual(invalidToken('ALREADY_USED'));
    expect(await resetPassword(service, 'no token', 'short')).toEqual(invalidToken('NOT_FOUND'));
  });

  it('does not let a revoked user in again, tells so, and uses nothing up', async () => {
    const { user, token } = await forgetful(service);
    await service.execute(RevokeUser, { id: user.id }, await asAdministrator(service));
    const revoked = await storedUser(user.id);
    expect(await preview(service, token)).toBeNull();
    expect(await resetPassword(service, token)).toEqual(userInactive('REVOKED'));
    // Whoever has been revoked is told that, and not which passwords would do.
    expect(await resetPassword(service, token, 'short')).toEqual(userInactive('REVOKED'));
    expect(await storedUser(user.id)).toEqual(revoked);
    expect(await kindsTo(user.email)).toEqual(['password_reset']);

    // The link from before stays dead when the account is active again.
    await service.execute(ActivateUser, { id: user.id }, await asAdministrator(service));
    expect(await resetPassword(service, token)).toEqual(invalidToken('REVOKED'));
  });

  it.each(['REVOKED', 'PENDING'] as const)('refuses an account that became %s in whichever way', async (status) => {
    const { user, token } = await forgetful(service);
    await setUser(user.id, { status });
    expect(await preview(service, token)).toBeNull();
    expect(await resetPassword(service, token)).toEqual(userInactive(status));
    expect(await storedUser(user.id)).toEqual({ ...user, status });
    await setUser(user.id, { status: 'ACTIVE' });
    expect(await resetPassword(service, token)).toEqual(passwordReset(user.email));
  });

  it('tells the status of an account to nobody with a token that is used, too old, or for another address', async () => {
    const [used, late, moved] = [await forgetful(service), await forgetful(service), await forgetful(service)];
    await resetPassword(service, used.token);
    for (const { user } of [used, late, moved]) await setUser(user.id, { status: 'REVOKED' });
    await setUser(moved.user.id, { email: `moved.${moved.user.email}` });
    expect(await resetPassword(service, moved.token)).toEqual(invalidToken('REVOKED'));
    service.clock.advanceSeconds(TTL_SECONDS);
    expect(await resetPassword(service, used.token)).toEqual(invalidToken('ALREADY_USED'));
    expect(await resetPassword(service, late.token)).toEqual(invalidToken('EXPIRED'));
  });

  it('refuses a token for an address that the account no longer has, and still when it has it back', async () => {
    const { user, token } = await forgetful(service);
    const administrators = await asAdministrator(service);
    const move = (email: string) => service.execute(UpdateUser, { input: { id: user.id, email } }, administrators);
    await move(`moved.${user.email}`);
    expect(await resetPassword(service, token)).toEqual(invalidToken('REVOKED'));
    await move(user.email);
    expect(await resetPassword(service, token)).toEqual(invalidToken('REVOKED'));
    expect((await storedUser(user.id)).passwordHash).toBe(user.passwordHash);
  });

  it('refuses a token for another address than the account has, in whichever way it was changed', async () => {
    const { user, token } = await forgetful(service);
    await setUser(user.id, { email: `moved.${user.email}` });
    expect(await preview(service, token)).toBeNull();
    expect(await resetPassword(service, token)).toEqual(invalidToken('REVOKED'));
    expect((await storedUser(user.id)).passwordHash).toBe(user.passwordHash);
  });

  it('finds nothing for the token of a deleted account, nor for a new one with its address', async () => {
    const { user, token } = await forgetful(service);
    await service.execute(DeleteUser, { id: user.id }, await asAdministrator(service));
    expect(await resetPassword(service, token)).toEqual(invalidToken('NOT_FOUND'));
    const successor = await createPerson(service, { email: user.email });
    expect(await preview(service, token)).toBeNull();
    expect(await resetPassword(service, token)).toEqual(invalidToken('NOT_FOUND'));
    expect(await storedUser(successor.user.id)).toEqual(successor.user);
  });

  it('may be asked for once in an operation', async () => {
    const { user, token } = await forgetful(service);
    const { data, errors } = await service.execute(ResetTwice, { token, password: NEW_PASSWORD });
    expect(data ?? null).toBeNull();
    expect(errors.map(({ message }) => message)).toEqual(['"resetPassword" may be asked for once in an operation.']);
    expect(await storedUser(user.id)).toEqual(user);
  });
});

describe('passwordResetByToken', () => {
  it('shows a masked address and the expiry, however often, and uses nothing up', async () => {
    const { user, token } = await forgetful(service, { email: 'a.long.name@example.org' });
    const shown = { maskedEmail: 'a•••@e•••.org', expiresAt: secondsFromNow(TTL_SECONDS) };
    expect(await preview(service, token)).toEqual(shown);
    expect(await preview(service, token)).toEqual(shown);
    expect(await resetPassword(service, token)).toEqual(passwordReset(user.email));
  });

  it('is null for a token that is used, too old, replaced, or none', async () => {
    const used = await forgetful(service);
    await resetPassword(service, used.token);
    const replaced = await forgetful(service);
    await requestReset(service, replaced.user.email);
    const late = await forgetful(service);
    for (const token of [used.token, replaced.token, `${late.token}x`, 'garbage', '']) {
      expect(await preview(service, token)).toBeNull();
    }
    expect(await preview(service, late.token)).not.toBeNull();
    service.clock.advanceSeconds(TTL_SECONDS);
    expect(await preview(service, late.token)).toBeNull();
  });
});

function secondsFromNow(seconds: number): string {
  return new Date(service.app.now().getTime() + seconds * 1000).toISOString();
}
