import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deriveToken } from '../../src/crypto/derived-token.ts';
import { oneTimeTokenOf } from '../../src/tokens/service.ts';
import { graphql } from '../gql/gql.ts';
import type { AcceptInvitationInput } from '../gql/graphql.ts';
import {
  confirmEmailChange,
  emailTaken,
  invalidToken,
  register,
  registrant,
  requestVerification,
  verifyEmail,
} from '../registration/operations.ts';
import { DeleteRole, UpdateRole } from '../roles/operations.ts';
import { faultsOf, Login, Me, Refresh, refreshTokenOf, tokensOf } from '../sessions/operations.ts';
import { fillHashGate } from '../support/hash-gate.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { AssignRole, DeleteUser, invalid, RevokeRole, RevokeUser, UserById } from '../users/operations.ts';
import {
  createAdministrator,
  createRoleRow,
  createStaff,
  eventsOf,
  everything,
  roleNamed,
  type Staff,
  signedIn,
} from '../users/staff.ts';
import {
  AcceptInvitation,
  accept,
  accepted,
  invitationById,
  invited,
  invitee,
  PASSWORD,
  remove,
  resent,
  revoke,
} from './operations.ts';

const DAY_SECONDS = 86_400;
const WEEK_SECONDS = 7 * DAY_SECONDS;

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function afterSeconds(seconds: number): Promise<void> {
  service.clock.advanceSeconds(seconds);
  admin = await signedIn(service, admin);
}

describe('acceptInvitation', () => {
  it('makes an active account with a proven address, and signs in to it', async () => {
    const { invitation, token } = await invited(service, admin);
    await afterSeconds(60);
    const now = service.clock.now().toISOString();
    const answer = await service.execute(AcceptInvitation, { input: { token, password: PASSWORD } });
    expect(answer.data?.acceptInvitation).toEqual({
      __typename: 'AuthPayload',
      accessToken: expect.stringMatching(/^ey/),
      accessTokenExpiresAt: new Date(service.clock.now().getTime() + 7200_000).toISOString(),
      refreshToken: expect.any(String),
      refreshTokenExpiresAt: new Date(service.clock.now().getTime() + 60 * DAY_SECONDS * 1000).toISOString(),
      tokenType: 'Bearer',
      session: expect.objectContaining({ createdAt: now, current: true }),
      user: {
        id: expect.any(String),
        email: invitation.email,
        firstName: 'Hedy',
        lastName: 'Lamarr',
        status: 'ACTIVE',
        emailVerified: true,
        roles: [{ name: 'user' }],
        permissions: [],
        lastLoginAt: now,
        lastUnsuccessfulLoginAt: null,
        createdAt: now,
        updatedAt: now,
      },
    });
    expect(answer.headers.get('set-cookie')).toBeNull();
    const payload = answer.data?.acceptInvitation;
    if (payload?.__typename !== 'AuthPayload') throw new Error('no tokens');
    const me = await service.execute(Me, {}, { accessToken: payload.accessToken });
    expect(me.data?.me).toEqual(payload.user);
    const refreshed = await service.execute(Refresh, { input: { refreshToken: payload.refreshToken ?? null } });
    expect(tokensOf(refreshed).user.id).toBe(payload.user.id);
    const login = await service.execute(Login, { input: { email: invitation.email, password: PASSWORD } });
    expect(tokensOf(login).user.id).toBe(payload.user.id);
    expect(await invitationById(service, admin, invitation.id)).toMatchObject({
      status: 'ACCEPTED',
      acceptedAt: now,
      acceptedBy: { id: payload.user.id },
      invitedBy: { id: admin.userId },
    });
  });

  it('sends the refresh token in a cookie when it is asked to', async () => {
    const { token } = await invited(service, admin);
    const input = { token, password: PASSWORD, refreshTokenTransport: 'COOKIE' as const };
    const answer = await service.execute(AcceptInvitation, { input });
    expect(answer.data?.acceptInvitation).toMatchObject({ __typename: 'AuthPayload', refreshToken: null });
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^latchkey_refresh=[\w-]+; .*HttpOnly; SameSite=Strict$/);
    const refreshed = await service.execute(Refresh, {}, { cookie: cookie.split(';')[0] });
    expect(tokensOf(refreshed).user.email).toContain('invited-');
  });

  it('gives the roles of the invitation, its remark and its language', async () => {
    const role = await createRoleRow(service, ['USERS_READ', 'AUDIT_READ'], 'archivist');
    const input = invitee({ roleIds: [role.id], remark: 'for the archive', locale: 'de' });
    const { token } = await invited(service, admin, input);
    const { user } = await accepted(service, token);
    expect(user).toMatchObject({
      roles: [{ name: 'archivist' }, { name: 'user' }],
      permissions: ['USERS_READ', 'AUDIT_READ'],
    });
    const seen = await service.execute(UserById, { id: user.id }, admin.as);
    expect(seen.data?.user?.remark).toBe('for the archive');
    expect(await service.app.db.user.findUnique({ where: { id: user.id } })).toMatchObject({ locale: 'de' });
  });

  it.each<[string, Partial<AcceptInvitationInput>, object]>([
    ['both', { firstName: ' Hedwig ', lastName: 'Kiesler' }, { firstName: 'Hedwig', lastName: 'Kiesler' }],
    ['one of them', { lastName: 'Kiesler' }, { firstName: 'Hedy', lastName: 'Kiesler' }],
    ['none of them', { firstName: null, lastName: null }, { firstName: 'Hedy', lastName: 'Lamarr' }],
  ])('takes corrected names: %s', async (_case, changes, names) => {
    const { token } = await invited(service, admin);
    expect((await accepted(service, token, changes)).user).toMatchObject(names);
  });

  it('is on record as what it is and as a sign-in, without a secret', async () => {
    const role = await createRoleRow(service, [], 'guest');
    const { invitation, token } = await invited(service, admin, invitee({ roleIds: [role.id] }));
    const headers = { 'user-agent': 'the invited' };
    const answer = await accept(service, token, {}, { headers });
    const userId = answer?.__typename === 'AuthPayload' ? answer.user.id : '';
    const sessionId = answer?.__typename === 'AuthPayload' ? answer.session.id : '';
    const common = {
      id: expect.any(String),
      at: service.clock.now(),
      actorId: userId,
      subjectId: userId,
      email: invitation.email,
      ipAddress: '127.0.0.1',
      userAgent: 'the invited',
      requestId: expect.any(String),
    };
    const events = (await eventsOf(service)).filter(({ actorId }) => actorId === userId);
    expect(events).toEqual([
      {
        ...common,
        type: 'invitation.accepted',
        data: { invitationId: invitation.id, roles: ['guest'], withheld: [] },
      },
      { ...common, type: 'login.succeeded', data: { sessionId } },
    ]);
    expect(JSON.stringify(await eventsOf(service))).not.toMatch(/pipers|argon2/);
    expect(service.log.join()).not.toContain(token.slice(-20));
  });

  it.each<[string, Partial<AcceptInvitationInput>, readonly (readonly [string, string])[]]>([
    ['an empty password', { password: '' }, [['input.password', 'TOO_SHORT']]],
    ['a password of 14 characters', { password: 'fourteen chars' }, [['input.password', 'TOO_SHORT']]],
    ['a password of 257 characters', { password: 'äb'.repeat(129) }, [['input.password', 'TOO_LONG']]],
    ['a common password', { password: 'passwordpassword' }, [['input.password', 'REPEATED_PATTERN']]],
    [
      'a password of the names as they are corrected',
      { firstName: 'Hedwigeva', lastName: 'Kieslermaria', password: 'HedwigevaKieslermaria' },
      [['input.password', 'CONTAINS_PERSONAL_DATA']],
    ],
    ['no name', { firstName: ' ' }, [['input.firstName', 'REQUIRED']]],
    ['a name of 10 kB', { lastName: 'x'.repeat(10_000) }, [['input.lastName', 'TOO_LONG']]],
    ['a name with a NUL', { firstName: 'He\0dy' }, [['input.firstName', 'INVALID_CHARACTERS']]],
    ['a name with a line break', { lastName: 'Lamarr\nBcc: all' }, [['input.lastName', 'INVALID_CHARACTERS']]],
  ])('refuses %s, and the link stays good', async (_case, changes, fields) => {
    const { token } = await invited(service, admin);
    const before = await everything(service);
    expect(await accept(service, token, changes)).toEqual(invalid(...fields));
    expect(await everything(service)).toEqual(before);
    await accepted(service, token);
  });

  it('says when to come again while too many passwords wait to be hashed, and the link stays good', async () => {
    const { token } = await invited(service, admin);
    const release = fillHashGate(service.app);
    try {
      expect(await accept(service, token)).toEqual({
        __typename: 'RateLimitedError',
        code: 'RATE_LIMITED',
        message: 'Too many attempts. Try again later.',
        retryAfterSeconds: 1,
      });
    } finally {
      await release();
    }
    await accepted(service, token);
  });

  it('takes the link at the last second and not at the next one', async () => {
    const [first, second] = [await invited(service, admin), await invited(service, admin)];
    await afterSeconds(WEEK_SECONDS - 1);
    await accepted(service, first.token);
    await afterSeconds(1);
    const before = await everything(service);
    expect(await accept(service, second.token)).toEqual(invalidToken('EXPIRED'));
    expect(await everything(service)).toEqual(before);
  });

  it('takes the link once', async () => {
    const { token } = await invited(service, admin);
    await accepted(service, token);
    const before = await everything(service);
    expect(await accept(service, token)).toEqual(invalidToken('ALREADY_USED'));
    expect(await accept(service, token, { password: 'short' })).toEqual(invalidToken('ALREADY_USED'));
    expect(await everything(service)).toEqual(before);
  });

  it('refuses the link of a revoked invitation, and one that was replaced', async () => {
    const revoked = await invited(service, admin);
    await revoke(service, admin, revoked.invitation.id);
    expect(await accept(service, revoked.token)).toEqual(invalidToken('REVOKED'));
    const replaced = await invited(service, admin);
    const newer = await resent(service, admin, replaced.invitation);
    expect(await accept(service, replaced.token)).toEqual(invalidToken('REVOKED'));
    await accepted(service, newer);
    expect(await accept(service, replaced.token)).toEqual(invalidToken('REVOKED'));
  });

  it('names the first of several reasons: revoked, used, expired, address taken', async () => {
    const [replaced, used, late, taken] = [
      await invited(service, admin),
      await invited(service, admin),
      await invited(service, admin, invitee({ expirationInDays: 1 })),
      await invited(service, admin, invitee({ expirationInDays: 365 })),
    ];
    await resent(service, admin, replaced.invitation);
    await accepted(service, used.token);
    for (const { invitation } of [replaced, late, taken]) await register(service, registrant(invitation.email));
    await afterSeconds(8 * DAY_SECONDS);
    expect(await accept(service, replaced.token)).toEqual(invalidToken('REVOKED'));
    expect(await accept(service, used.token)).toEqual(invalidToken('ALREADY_USED'));
    expect(await accept(service, late.token)).toEqual(invalidToken('EXPIRED'));
    expect(await accept(service, taken.token)).toEqual(emailTaken);
    expect(await accept(service, taken.token, { password: 'short' })).toEqual(emailTaken);
  });

  it('is refused when the address has become a user’s, and works when it is free again', async () => {
    const { invitation, token } = await invited(service, admin);
    const { user } = await createPerson(service, { email: invitation.email });
    const before = await everything(service);
    expect(await accept(service, token)).toEqual(emailTaken);
    expect(await everything(service)).toEqual(before);
    await service.execute(DeleteUser, { input: { id: user.id } }, admin.as);
    expect((await accepted(service, token)).user.id).not.toBe(user.id);
  });

  it('is refused after the invitation was deleted', async () => {
    const { invitation, token } = await invited(service, admin);
    await remove(service, admin, invitation.id);
    expect(await accept(service, token)).toEqual(invalidToken('NOT_FOUND'));
  });

  it.each(['closed', 'approval'])('makes an active account with REGISTRATION=%s', async (registration) => {
    const { token } = await invited(service, admin);
    const other = await startTestService({
      database: service,
      environment: { REGISTRATION: registration, PUBLIC_URL: service.app.issuer.url },
    });
    try {
      expect((await accepted(other, token)).user).toMatchObject({ status: 'ACTIVE', emailVerified: true });
    } finally {
      await other.close();
    }
  });

  it('stands once in an operation, so that each guess costs a request', async () => {
    const query = `mutation ($a: AcceptInvitationInput!) {
      one: acceptInvitation(input: $a) { __typename } two: acceptInvitation(input: $a) { __typename }
    }`;
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { a: { token: 'x', password: PASSWORD } } }),
    });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
  });
});

describe('a token that is none for this', () => {
  it.each<[string, () => Promise<string>]>([
    ['nothing', async () => ''],
    ['garbage', async () => 'garbage'],
    ['10 kB', async () => 'x'.repeat(10_000)],
    ['a NUL', async () => '\0'.repeat(71)],
    ['one with a changed end', async () => changed((await invited(service, admin)).token)],
    ['one with white space', async () => `${(await invited(service, admin)).token} `],
    ['the id of an invitation', async () => (await invited(service, admin)).invitation.id],
    ['one of an invitation’s id', async () => ofId((await invited(service, admin)).invitation.id, 'INVITATION')],
    ['a refresh token', async () => refreshTokenOf(await loggedIn())],
    ['one that proves an address', () => verificationToken()],
    ['one of another purpose with the same row', async () => sameRow('PASSWORD_RESET')],
    ['one of another generation', async () => sameRow('INVITATION', 1)],
    ['one for another address', async () => sameRow('INVITATION', 0, 'mine@latchkey.test')],
  ])('is refused: %s', async (_case, makeToken) => {
    const token = await makeToken();
    const before = await everything(service);
    expect(await accept(service, token)).toEqual(invalidToken('NOT_FOUND'));
    expect(await everything(service)).toEqual(before);
  });

  it('of an invitation proves no address and changes none', async () => {
    const { token } = await invited(service, admin);
    const before = await everything(service);
    expect(await verifyEmail(service, token)).toEqual(invalidToken('NOT_FOUND'));
    expect(await confirmEmailChange(service, token)).toEqual(invalidToken('NOT_FOUND'));
    const refreshed = await service.execute(Refresh, { input: { refreshToken: token } });
    expect(refreshed.data?.refreshToken).toMatchObject({ code: 'INVALID_REFRESH_TOKEN' });
    expect(await everything(service)).toEqual(before);
  });

  function changed(token: string): string {
    return `${token.slice(0, -2)}${token.at(-2) === 'A' ? 'B' : 'A'}${token.at(-1)}`;
  }

  function ofId(id: string, purpose: 'INVITATION'): string {
    return deriveToken(service.app.config.secretKeys, purpose, { id, generation: 0 });
  }

  function loggedIn() {
    const { email } = admin.user;
    return service.execute(Login, { input: { email, password: admin.password } });
  }

  async function verificationToken(): Promise<string> {
    const { user } = await createPerson(service, { emailVerified: false });
    await requestVerification(service, user.email);
    return oneTimeTokenOf(
      service.app,
      await service.app.db.oneTimeToken.findFirstOrThrow({ where: { userId: user.id } }),
    );
  }

  async function sameRow(purpose: 'INVITATION' | 'PASSWORD_RESET', generation = 0, boundTo?: string): Promise<string> {
    const { invitation } = await invited(service, admin);
    const { id, email } = await service.app.db.oneTimeToken.findFirstOrThrow({
      where: { invitationId: invitation.id },
    });
    return deriveToken(service.app.config.secretKeys, purpose, { id, generation, boundTo: boundTo ?? email });
  }
});

describe('of the roles of an invitation', () => {
  /** Somebody who may invite and read users, and an invitation of theirs with two roles. */
  async function scene() {
    const inviter = await createStaff(service, ['INVITATIONS_WRITE', 'USERS_READ']);
    const [reading, empty] = [await createRoleRow(service, ['USERS_READ']), await createRoleRow(service, [])];
    const input = invitee({ roleIds: [reading.id, empty.id] });
    const { invitation, token } = await invited(service, inviter, input);
    const own = await service.app.db.role.findFirstOrThrow({
      where: { users: { some: { userId: inviter.userId } }, builtIn: false },
    });
    const both = [reading.name, empty.name].toSorted();
    return { inviter, own, reading, empty, both, invitation, token };
  }

  async function outcomeOf({ token, invitation }: Awaited<ReturnType<typeof scene>>) {
    const { user } = await accepted(service, token);
    const event = (await eventsOf(service, 'invitation.accepted')).at(-1);
    expect(event).toMatchObject({ subjectId: user.id, data: { invitationId: invitation.id } });
    return { held: user.roles.map(({ name }) => name), data: event?.data };
  }

  const withRoles = (...names: readonly string[]) => [...names, 'user'].toSorted();

  it('all are given while the inviter could still give them', async () => {
    const all = await scene();
    const { held, data } = await outcomeOf(all);
    expect(held.toSorted()).toEqual(withRoles(...all.both));
    expect(data).toMatchObject({ roles: expect.arrayContaining(all.both), withheld: [] });
  });

  const losses: readonly (readonly [string, (of: Awaited<ReturnType<typeof scene>>) => Promise<unknown>])[] = [
    ['was revoked', ({ inviter }) => service.execute(RevokeUser, { input: { id: inviter.userId } }, admin.as)],
    ['was deleted', ({ inviter }) => service.execute(DeleteUser, { input: { id: inviter.userId } }, admin.as)],
    [
      'was stripped of the role that let them invite',
      ({ inviter, own }) =>
        service.execute(RevokeRole, { input: { userId: inviter.userId, roleId: own.id } }, admin.as),
    ],
    [
      'may not invite any more',
      ({ own }) => service.execute(UpdateRole, { input: { id: own.id, permissions: ['USERS_READ'] } }, admin.as),
    ],
  ];

  it.each(losses)('none but "user" is given when the inviter %s, and the record says so', async (_case, lose) => {
    const all = await scene();
    await lose(all);
    const { held, data } = await outcomeOf(all);
    expect(held).toEqual(['user']);
    expect(data).toMatchObject({ roles: [], withheld: expect.arrayContaining(all.both) });
  });

  it('those are withheld that hold more than the inviter does by then', async () => {
    const all = await scene();
    const input = { id: all.own.id, permissions: ['INVITATIONS_WRITE' as const] };
    await service.execute(UpdateRole, { input }, admin.as);
    expect(await outcomeOf(all)).toMatchObject({
      held: withRoles(all.empty.name),
      data: { roles: [all.empty.name], withheld: [all.reading.name] },
    });
  });

  it('those are withheld that have grown past the inviter', async () => {
    const all = await scene();
    const input = { id: all.empty.id, permissions: ['AUDIT_READ' as const] };
    await service.execute(UpdateRole, { input }, admin.as);
    expect(await outcomeOf(all)).toMatchObject({
      held: withRoles(all.reading.name),
      data: { withheld: [all.empty.name] },
    });
  });

  it('the admin’s own is given by an administrator, and withheld once they are none any more', async () => {
    const { id: roleId } = await roleNamed(service, 'admin');
    const other = await createAdministrator(service);
    const [first, second] = [
      await invited(service, other, invitee({ roleIds: [roleId] })),
      await invited(service, other, invitee({ roleIds: [roleId] })),
    ];
    expect((await accepted(service, first.token)).user.roles).toEqual([{ name: 'admin' }, { name: 'user' }]);
    await service.execute(RevokeRole, { input: { userId: other.userId, roleId } }, admin.as);
    expect((await accepted(service, second.token)).user.roles).toEqual([{ name: 'user' }]);
  });

  it('"user" is no one’s to withhold', async () => {
    const { id } = await roleNamed(service, 'user');
    const inviter = await createAdministrator(service);
    const { token } = await invited(service, inviter, invitee({ roleIds: [id] }));
    await service.execute(DeleteUser, { input: { id: inviter.userId } }, admin.as);
    expect((await accepted(service, token)).user.roles).toEqual([{ name: 'user' }]);
    expect((await eventsOf(service, 'invitation.accepted')).at(-1)?.data).toMatchObject({ withheld: [] });
  });

  it('those are gone that were deleted, which no invitation stands in the way of', async () => {
    const all = await scene();
    const deletion = await service.execute(DeleteRole, { input: { id: all.reading.id } }, admin.as);
    expect(deletion.data?.deleteRole).toEqual({ __typename: 'DeletedPayload', id: all.reading.id });
    expect(await invitationById(service, admin, all.invitation.id)).toMatchObject({
      roles: [{ name: all.empty.name }],
    });
    expect(await outcomeOf(all)).toMatchObject({
      held: withRoles(all.empty.name),
      data: { roles: [all.empty.name], withheld: [] },
    });
  });

  it('those that the account holds by then are its own, whatever becomes of the inviter', async () => {
    const all = await scene();
    const { user } = await accepted(service, all.token);
    await service.execute(DeleteUser, { input: { id: all.inviter.userId } }, admin.as);
    const again = await service.execute(AssignRole, { input: { userId: user.id, roleId: all.reading.id } }, admin.as);
    expect(again.data?.assignRole).toMatchObject({ code: 'ROLE_ALREADY_ASSIGNED' });
  });
});

const PeopleOfInvitation = graphql(`
  query InvitationsPeople($id: ID!) {
    invitation(id: $id) {
      invitedBy {
        id
        email
      }
      acceptedBy {
        id
        email
      }
    }
  }
`);

describe('the people of an invitation', () => {
  it('become null when they are deleted, and the invitation stays', async () => {
    const inviter = await createAdministrator(service);
    const { invitation, token } = await invited(service, inviter);
    const { user } = await accepted(service, token);
    for (const id of [inviter.userId, user.id]) await service.execute(DeleteUser, { input: { id } }, admin.as);
    expect(await invitationById(service, admin, invitation.id)).toMatchObject({
      status: 'ACCEPTED',
      invitedBy: null,
      acceptedBy: null,
    });
  });

  it('are null and FORBIDDEN without USERS_READ, but for oneself', async () => {
    const staff = await createStaff(service, ['INVITATIONS_READ', 'INVITATIONS_WRITE']);
    const { invitation, token } = await invited(service, staff);
    const people = async () => {
      const { data, errors } = await service.execute(PeopleOfInvitation, { id: invitation.id }, staff.as);
      return [data?.invitation, errors.map(({ path, extensions }) => [path?.join('.'), extensions?.code])];
    };
    const invitedBy = { id: staff.userId, email: staff.user.email };
    expect(await people()).toEqual([{ invitedBy, acceptedBy: null }, []]);
    await accepted(service, token);
    expect(await people()).toEqual([{ invitedBy, acceptedBy: null }, [['invitation.acceptedBy', 'FORBIDDEN']]]);
  });
});
