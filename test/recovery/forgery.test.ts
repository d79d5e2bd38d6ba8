import { randomBytes } from 'node:crypto';
import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deriveToken } from '../../src/crypto/derived-token.ts';
import { accept, accepted, invited, preview as previewInvitation } from '../invitations/operations.ts';
import { newestTokenTo } from '../mailbox/reading.ts';
import {
  confirmEmailChange,
  invalidToken,
  PASSWORD,
  register,
  registrant,
  requestEmailChange,
  verifyEmail,
} from '../registration/operations.ts';
import { faultsOf, Refresh } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { createAdministrator } from '../users/staff.ts';
import {
  forgetful,
  NEW_PASSWORD,
  passwordReset,
  preview,
  ResetPassword,
  resetPassword,
  resetTokenFor,
} from './operations.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function expectNothing(token: string): Promise<void> {
  expect(await preview(service, token)).toBeNull();
  expect(await resetPassword(service, token)).toEqual(invalidToken('NOT_FOUND'));
}

describe('resetPassword and passwordResetByToken find nothing', () => {
  it('for a token of another purpose; nor does a reset token do anything but reset', async () => {
    const [email, newEmail] = ['purposes@latchkey.test', 'purposes.new@latchkey.test'];
    await register(service, registrant(email));
    const verification = await newestTokenTo(service, email);
    await expectNothing(verification);
    expect(await verifyEmail(service, verification)).toMatchObject({ email });

    const session = await signIn(service, { email, password: PASSWORD });
    const change = { newEmail, currentPassword: PASSWORD };
    await requestEmailChange(service, session.accessToken, change);
    const confirmation = await newestTokenTo(service, newEmail);
    await expectNothing(confirmation);

    const { token: invitation } = await invited(service, await createAdministrator(service));
    await expectNothing(invitation);

    const reset = await resetTokenFor(service, email);
    expect(await accept(service, reset)).toMatchObject(invalidToken('NOT_FOUND'));
    expect(await previewInvitation(service, reset)).toBeNull();
    expect(await verifyEmail(service, reset)).toEqual(invalidToken('NOT_FOUND'));
    expect(await confirmEmailChange(service, reset)).toEqual(invalidToken('NOT_FOUND'));
    const refreshed = await service.execute(Refresh, { input: { refreshToken: reset } });
    expect(refreshed.data?.refreshToken).toMatchObject({ code: 'INVALID_REFRESH_TOKEN' });
    expect(await resetPassword(service, reset)).toEqual(passwordReset(email));
    await accepted(service, invitation);
  });

  it('for a refresh token, an access token, or the id of anything', async () => {
    const { user, password, token } = await forgetful(service);
    const { refreshToken, accessToken, sessionId } = await signIn(service, { email: user.email, password });
    const row = await service.app.db.oneTimeToken.findFirstOrThrow({ where: { userId: user.id } });
    for (const other of [refreshToken, accessToken, sessionId, user.id, row.id, user.email]) await expectNothing(other);
    expect(await resetPassword(service, token)).toEqual(passwordReset(user.email));
  });

  it('for a token of the same row that was derived for anything else, or with another key', async () => {
    const { user, token } = await forgetful(service);
    const { id, email } = await service.app.db.oneTimeToken.findFirstOrThrow({ where: { userId: user.id } });
    const { secretKeys } = service.app.config;
    const bound = { id, generation: 0, boundTo: email };
    expect(deriveToken(secretKeys, 'PASSWORD_RESET', bound)).toBe(token);
    for (const other of [
      deriveToken(secretKeys, 'EMAIL_VERIFICATION', bound),
      deriveToken(secretKeys, 'EMAIL_CHANGE', bound),
      deriveToken(secretKeys, 'INVITATION', bound),
      deriveToken(secretKeys, 'refresh', bound),
      deriveToken(secretKeys, 'PASSWORD_RESET', { id, generation: 0 }),
      deriveToken(secretKeys, 'PASSWORD_RESET', { ...bound, generation: 1 }),
      deriveToken(secretKeys, 'PASSWORD_RESET', { ...bound, boundTo: `x${email}` }),
      deriveToken(secretKeys, 'PASSWORD_RESET', { ...bound, id: newId() }),
      deriveToken([randomBytes(32)], 'PASSWORD_RESET', bound),
    ]) {
      await expectNothing(other);
    }
    expect(await resetPassword(service, token)).toEqual(passwordReset(user.email));
  });

  it('for the row of a link to somebody else’s account', async () => {
    const [owner, other] = [await forgetful(service), await createPerson(service)];
    await service.app.db.oneTimeToken.updateMany({
      where: { userId: owner.user.id },
      data: { userId: other.user.id },
    });
    // Genuine as it is, it is good for the address that it was sent to.
    expect(await resetPassword(service, owner.token)).toEqual(invalidToken('REVOKED'));
    expect(await preview(service, owner.token)).toBeNull();
  });

  it('for a token with any one character changed, taken away or added', async () => {
    const { user, token } = await forgetful(service);
    const swap = (letter: string) => (letter === 'A' ? 'B' : 'A');
    for (let place = 0; place < token.length; place += 1) {
      const changed = token.slice(0, place) + swap(token.charAt(place)) + token.slice(place + 1);
      expect(await resetPassword(service, changed)).toEqual(invalidToken('NOT_FOUND'));
    }
    for (const other of [token.slice(1), token.slice(0, -1), `${token}A`, `${token}=`, ` ${token}`, `${token}\n`]) {
      await expectNothing(other);
    }
    expect(await resetPassword(service, token)).toEqual(passwordReset(user.email));
  });

  it.each([
    ['nothing', ''],
    ['a space', ' '],
    ['a NUL', '\0'],
    ['NULs as long as a token', '\0'.repeat(71)],
    ['half a character', '\ud83d'],
    ['an emoji', '🔑'],
    ['SQL', `' OR '1'='1`],
    ['JSON', '{"id":null}'],
    ['as many characters as a token has', 'A'.repeat(71)],
    ['90,000 characters', 'A'.repeat(90_000)],
  ])('for %s, without a fault', async (_case, garbage) => {
    await expectNothing(garbage);
  });

  it.each([null, 5, ['a'], { token: 'a' }])('and take no %j for a token or a password', async (odd) => {
    for (const variables of [
      { token: odd, password: NEW_PASSWORD },
      { token: 'a', password: odd },
    ]) {
      const { data, errors } = await service.execute(ResetPassword, JSON.parse(JSON.stringify(variables)));
      expect(data ?? null).toBeNull();
      expect(errors.map(({ extensions }) => extensions?.code)).toEqual(['BAD_USER_INPUT']);
    }
  });
});
