import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import { accepted, invalidCredentials, invalidToken, logIn } from '../registration/operations.ts';
import { faultsOf, Me } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { asAdministrator, RevokeUser } from '../verification/operations.ts';
import {
  forgetful,
  NEW_PASSWORD,
  passwordReset,
  preview,
  requestReset,
  resetPassword,
  resetTokenFor,
  userInactive,
} from './operations.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ database: 'embedded', environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1' } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service?.close());

describe('on the embedded database', () => {
  it('a password is forgotten and replaced, and every session of before has ended', async () => {
    const person = await createPerson(service, { email: 'whole@latchkey.test', emailVerified: true });
    const { email } = person.user;
    const session = await signIn(service, { email, password: person.password });
    const older = await resetTokenFor(service, email);
    const token = await resetTokenFor(service, email);
    expect(await preview(service, token)).toMatchObject({ maskedEmail: 'w•••@l•••.test' });
    expect(await preview(service, older)).toBeNull();
    expect(await resetPassword(service, older)).toEqual(invalidToken('REVOKED'));
    expect(await resetPassword(service, token, 'short')).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect((await service.execute(Me, {}, session)).data?.me).not.toBeNull();

    expect(await resetPassword(service, token)).toEqual(passwordReset(email));

    expect(await resetPassword(service, token)).toEqual(invalidToken('ALREADY_USED'));
    expect((await service.execute(Me, {}, session)).data?.me).toBeNull();
    expect(await logIn(service, email, person.password)).toEqual(invalidCredentials);
    expect(await logIn(service, email, NEW_PASSWORD)).toMatchObject({ user: { email } });
    expect((await mailsTo(service, email)).map(({ subject }) => subject)).toEqual([
      'You have a new password',
      'Choose a new password',
      'Choose a new password',
    ]);
  });

  it('a link is too old after two hours', async () => {
    const { token } = await forgetful(service);
    service.clock.advanceSeconds(7200);
    expect(await resetPassword(service, token)).toEqual(invalidToken('EXPIRED'));
  });

  it('a token works once of ten times at once', async () => {
    const { token } = await forgetful(service);
    const answers = await Promise.all(Array.from({ length: 10 }, () => resetPassword(service, token)));
    expect(answers.filter((answer) => answer?.__typename === 'ResetPasswordPayload')).toHaveLength(1);
    expect(answers.filter((answer) => answer?.__typename === 'InvalidTokenError')).toEqual(
      Array(9).fill(invalidToken('ALREADY_USED')),
    );
  });

  it('a revoked account stays revoked, and gets no mail', async () => {
    const { user, token } = await forgetful(service);
    await service.execute(RevokeUser, { id: user.id }, await asAdministrator(service));
    expect(await resetPassword(service, token)).toEqual(userInactive('REVOKED'));
    expect(await requestReset(service, user.email)).toEqual(accepted);
    expect(await mailsTo(service, user.email)).toHaveLength(1);
  });

  it('twenty requests at once are owed three mails, of which the last link works, and the next is refused', async () => {
    const { user } = await createPerson(service);
    const from = { headers: { 'x-forwarded-for': '198.18.0.1' } };
    const requests = Array.from({ length: 20 }, () => requestReset(service, user.email, from));
    expect(await Promise.all(requests)).toEqual(Array(20).fill(accepted));
    expect(await service.app.db.mail.count({ where: { recipient: user.email } })).toBe(3);
    expect(await requestReset(service, user.email, from)).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await resetPassword(service, await newestTokenTo(service, user.email))).toEqual(passwordReset(user.email));
  });
});
