import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PeopleIsAuthorizedQueryVariables } from '../gql/graphql.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import {
  AssignRole,
  DeleteUser,
  IsAuthorized,
  RevokeRole,
  RevokeUser,
  RevokeUserSessions,
  UpdateUser,
} from './operations.ts';
import { createAdministrator, createRoleRow, type Staff, signedIn, startTwin } from './staff.ts';

let service: TestService;
let admin: Staff;
let person: Staff;

beforeAll(async () => {
  service = await startTestService();
});
beforeEach(async () => {
  admin = await createAdministrator(service);
  person = await signedIn(service, await createPerson(service));
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

type Conditions = Omit<PeopleIsAuthorizedQueryVariables, 'accessToken'>;

async function ask(accessToken: string, conditions: Conditions = {}, on = service) {
  const { data, errors } = await on.execute(IsAuthorized, { accessToken, ...conditions });
  expect(errors).toEqual([]);
  return data?.isAuthorized;
}

function isAuthorized(conditions?: Conditions) {
  return ask(person.accessToken, conditions);
}

describe('isAuthorized', () => {
  it('is true for a good token of an active and verified user, asked by nobody', async () => {
    expect(await isAuthorized()).toBe(true);
  });

  it.each<[string, () => Conditions, boolean]>([
    ['a role that is held', () => ({ anyRole: ['user'] }), true],
    ['one of several roles', () => ({ anyRole: ['admin', 'user', 'nobody'] }), true],
    ['roles that are not held', () => ({ anyRole: ['admin', 'editor'] }), false],
    ['no role at all', () => ({ anyRole: [] }), false],
    ['an empty role name', () => ({ anyRole: [''] }), false],
    ['a role in other letters', () => ({ anyRole: [' USER ', 'nobody'] }), true],
    ['a role’s look-alike', () => ({ anyRole: ['us\u200ber'] }), false],
    ['null for the roles', () => ({ anyRole: null }), false],
    ['null for the id', () => ({ userId: null }), false],
    ['null for the address', () => ({ email: null }), false],
    ['null for all of it', () => ({ anyRole: null, userId: null, email: null }), false],
    ['what was left undefined, which is no condition', () => ({ anyRole: undefined, userId: undefined }), true],
    ['the id', () => ({ userId: person.userId }), true],
    ['the id in capitals', () => ({ userId: person.userId.toUpperCase() }), true],
    ['the id of somebody else', () => ({ userId: admin.userId }), false],
    ['no id', () => ({ userId: '' }), false],
    ['an id that is none', () => ({ userId: "' OR 1=1 --" }), false],
    ['the address', () => ({ email: person.user.email }), true],
    ['the address in another form', () => ({ email: ` ${person.user.email.toUpperCase().replace('A', 'Ａ')}` }), true],
    ['the address of somebody else', () => ({ email: admin.user.email }), false],
    ['no address', () => ({ email: '' }), false],
    ['an address that is none', () => ({ email: 'nobody\0' }), false],
    ['an address of 10 kB', () => ({ email: 'x'.repeat(10_000) }), false],
    ['all that holds', () => ({ anyRole: ['user'], userId: person.userId, email: person.user.email }), true],
    ['all but the role', () => ({ anyRole: ['admin'], userId: person.userId, email: person.user.email }), false],
    ['all but the id', () => ({ anyRole: ['user'], userId: admin.userId, email: person.user.email }), false],
    ['all but the address', () => ({ anyRole: ['user'], userId: person.userId, email: admin.user.email }), false],
  ])('goes by %s', async (_condition, conditions, expected) => {
    expect(await isAuthorized(conditions())).toBe(expected);
  });

  it.each([
    ['nothing', () => ''],
    ['garbage', () => 'garbage'],
    ['three parts of garbage', () => 'a.b.c'],
    ['a NUL', () => '\0'],
    ['half a character', () => '\ud800'],
    ['90 kB', () => 'x'.repeat(90_000)],
    ['a refresh token', () => person.refreshToken],
    ['a token with another signature', () => person.accessToken.replace(/[^.]{20}$/, 'AAAAAAAAAAAAAAAAAAAA')],
    ['a token without its signature', () => person.accessToken.replace(/[^.]+$/, '')],
    [
      'a token that says "none"',
      () =>
        `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${person.accessToken.split('.')[1]}.`,
    ],
    ['a token with a word before it', () => `Bearer ${person.accessToken}`],
  ])('is false for %s, and never an error', async (_case, tokenOf) => {
    expect(await ask(tokenOf())).toBe(false);
    expect(await ask(tokenOf(), { anyRole: ['user'], userId: person.userId, email: person.user.email })).toBe(false);
  });

  it('is false for a token of another service', async () => {
    const other = await startTestService({ database: service });
    try {
      expect(await ask(person.accessToken, {}, other)).toBe(false);
    } finally {
      await other.close();
    }
  });

  it('is false once the token is too old', async () => {
    service.clock.advanceSeconds(service.app.config.accessTokenTtlSeconds);
    expect(await isAuthorized()).toBe(false);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['the user is revoked', () => service.execute(RevokeUser, { input: { id: person.userId } }, admin.as)],
    ['the sessions are ended', () => service.execute(RevokeUserSessions, { input: { id: person.userId } }, admin.as)],
    ['the user is deleted', () => service.execute(DeleteUser, { input: { id: person.userId } }, admin.as)],
    [
      'the address is not verified any more',
      () => service.execute(UpdateUser, { input: { id: person.userId, emailVerified: false } }, admin.as),
    ],
  ])('is false at once when %s, on every instance', async (_case, change) => {
    const other = await startTwin(service);
    try {
      expect(await ask(person.accessToken, {}, other)).toBe(true);
      await change();
      expect(await isAuthorized()).toBe(false);
      expect(await ask(person.accessToken, {}, other)).toBe(false);
    } finally {
      await other.close();
    }
  });

  it('goes by the roles and the address as they are now, not as they were at the sign-in', async () => {
    const role = await createRoleRow(service, []);
    const input = { userId: person.userId, roleId: role.id };
    const anyRole = [role.name];
    expect(await isAuthorized({ anyRole })).toBe(false);
    await service.execute(AssignRole, { input }, admin.as);
    expect(await isAuthorized({ anyRole })).toBe(true);
    await service.execute(RevokeRole, { input }, admin.as);
    expect(await isAuthorized({ anyRole })).toBe(false);

    const email = `moved.${person.user.email}`;
    await service.execute(UpdateUser, { input: { id: person.userId, email, emailVerified: true } }, admin.as);
    expect(await isAuthorized({ email: person.user.email })).toBe(false);
    expect(await isAuthorized({ email })).toBe(true);
  });

  it('answers as often as it is asked in one operation', async () => {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: `query ($good: String!, $id: ID!) {
          good: isAuthorized(accessToken: $good)
          bad: isAuthorized(accessToken: "garbage")
          both: isAuthorized(accessToken: $good, userId: $id, anyRole: ["user"])
        }`,
        variables: { good: person.accessToken, id: person.userId },
      }),
    });
    expect(await response.json()).toEqual({ data: { good: true, bad: false, both: true } });
  });
});

describe('isAuthorized with EMAIL_VERIFICATION=optional', () => {
  it('is true for a user who is not verified, but not for the address', async () => {
    const optional = await startTestService({ environment: { EMAIL_VERIFICATION: 'optional' } });
    try {
      const { accessToken, userId, user } = await signedIn(
        optional,
        await createPerson(optional, { emailVerified: false }),
      );
      expect(await ask(accessToken, { userId, anyRole: ['user'] }, optional)).toBe(true);
      expect(await ask(accessToken, { email: user.email }, optional)).toBe(false);
    } finally {
      await optional.close();
    }
  });
});
