import { randomBytes } from 'node:crypto';
import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deriveToken } from '../../src/crypto/derived-token.ts';
import { newestTokenTo } from '../mailbox/reading.ts';
import {
  confirmEmailChange,
  invalidToken,
  PASSWORD,
  requestEmailChange,
  VerifyEmail,
  verifyEmail,
} from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { registeredToken } from './operations.ts';

let service: TestService;
let addresses = 0;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

function newAddress(): string {
  addresses += 1;
  return `forge-${addresses}@latchkey.test`;
}

function isVerified(email: string): Promise<boolean | undefined> {
  return service.app.db.user.findUnique({ where: { email } }).then((user) => user?.emailVerified);
}

function proven(email: string) {
  return { __typename: 'VerifyEmailPayload', email };
}

async function userIdOf(email: string): Promise<string> {
  return (await service.app.db.user.findUniqueOrThrow({ where: { email } })).id;
}

describe('verifyEmail finds nothing', () => {
  it('for a refresh token, an access token, or the id of anything', async () => {
    const person = await createPerson(service);
    const signedIn = await signIn(service, { email: person.user.email, password: person.password });
    const email = newAddress();
    await registeredToken(service, email);
    const row = await service.app.db.oneTimeToken.findFirstOrThrow({ where: { email } });
    const { refreshToken, accessToken, sessionId, userId } = signedIn;
    for (const token of [refreshToken, accessToken, sessionId, userId, row.id, email, await userIdOf(email)]) {
      expect(await verifyEmail(service, token)).toEqual(invalidToken('NOT_FOUND'));
    }
  });

  it('for a token that confirms a new address; nor does a verification token confirm one', async () => {
    const [email, newEmail] = [newAddress(), newAddress()];
    const verification = await registeredToken(service, email);
    expect(await confirmEmailChange(service, verification)).toEqual(invalidToken('NOT_FOUND'));
    await verifyEmail(service, verification);
    const { accessToken } = await signIn(service, { email, password: PASSWORD });
    await requestEmailChange(service, accessToken, { newEmail, currentPassword: PASSWORD });
    const change = await newestTokenTo(service, newEmail);
    expect(await verifyEmail(service, change)).toEqual(invalidToken('NOT_FOUND'));
    expect(await isVerified(newEmail)).toBeUndefined();
    expect(await confirmEmailChange(service, change)).toMatchObject({ user: { email: newEmail } });
  });

  it('for a token of the same row that was derived for anything else, or with another key', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    const { id } = await service.app.db.oneTimeToken.findFirstOrThrow({ where: { email } });
    const { secretKeys } = service.app.config;
    const bound = { id, generation: 0, boundTo: email };
    expect(deriveToken(secretKeys, 'EMAIL_VERIFICATION', bound)).toBe(token);
    for (const other of [
      deriveToken(secretKeys, 'EMAIL_CHANGE', bound),
      deriveToken(secretKeys, 'refresh', bound),
      deriveToken(secretKeys, 'refresh', { id, generation: 0 }),
      deriveToken(secretKeys, 'EMAIL_VERIFICATION', { id, generation: 0 }),
      deriveToken(secretKeys, 'EMAIL_VERIFICATION', { ...bound, generation: 1 }),
      deriveToken(secretKeys, 'EMAIL_VERIFICATION', { ...bound, boundTo: `x${email}` }),
      deriveToken(secretKeys, 'EMAIL_VERIFICATION', { ...bound, id: newId() }),
      deriveToken([randomBytes(32)], 'EMAIL_VERIFICATION', bound),
    ]) {
      expect(await verifyEmail(service, other)).toEqual(invalidToken('NOT_FOUND'));
    }
    expect(await verifyEmail(service, token)).toEqual(proven(email));
  });

  it('for a token with any one character changed, taken away or added', async () => {
    const email = newAddress();
    const token = await registeredToken(service, email);
    const swap = (letter: string) => (letter === 'A' ? 'B' : 'A');
    for (let place = 0; place < token.length; place += 1) {
      const changed = token.slice(0, place) + swap(token.charAt(place)) + token.slice(place + 1);
      expect(await verifyEmail(service, changed)).toEqual(invalidToken('NOT_FOUND'));
    }
    for (const other of [token.slice(1), token.slice(0, -1), `${token}A`, `${token}=`, ` ${token}`, `${token}\n`]) {
      expect(await verifyEmail(service, other)).toEqual(invalidToken('NOT_FOUND'));
    }
    expect(await verifyEmail(service, token)).toEqual(proven(email));
  });

  it.each([
    ['nothing', ''],
    ['a space', ' '],
    ['a NUL', '\0'],
    ['NULs as long as a token', '\0'.repeat(71)],
    ['half a character', '\ud83d'],
    ['an emoji', '🔑'],
    ['SQL', `' OR '1'='1`],
    ['a path', '../../etc/passwd'],
    ['JSON', '{"id":null}'],
    ['as many characters as a token has', 'A'.repeat(71)],
    ['90,000 characters', 'A'.repeat(90_000)],
  ])('for %s, without a fault', async (_case, garbage) => {
    expect(await verifyEmail(service, garbage)).toEqual(invalidToken('NOT_FOUND'));
    expect(await confirmEmailChange(service, garbage)).toEqual(invalidToken('NOT_FOUND'));
  });

  it.each(['verifyEmail', 'confirmEmailChange'])('and reads no megabyte to find that out: %s', async (field) => {
    const query = `mutation ($token: String!) { ${field}(input: { token: $token }) { __typename } }`;
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { token: 'A'.repeat(1_000_000) } }),
    });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain('BAD_USER_INPUT');
  });

  it.each([null, 5, ['a'], { token: 'a' }])('and takes no %j for a token', async (token) => {
    const { data, errors } = await service.execute(VerifyEmail, JSON.parse(JSON.stringify({ token })));
    expect(data ?? null).toBeNull();
    expect(errors.map(({ extensions }) => extensions?.code)).toEqual(['BAD_USER_INPUT']);
  });
});
