import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import type { InviteUserInput } from '../gql/graphql.ts';
import { linkIn, mailsTo } from '../mailbox/reading.ts';
import { register, registrant } from '../registration/operations.ts';
import { errorsOf, faultsOf, forbidden } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { emailTaken, invalid, notFound, UNKNOWN_ID } from '../users/operations.ts';
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
  accepted,
  InviteUser,
  invitationById,
  invitationPending,
  invite,
  invited,
  invitee,
  revoke,
} from './operations.ts';

const DAY_SECONDS = 86_400;

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

/** The administrator, signed in anew, since access tokens do not last a day. */
function afterSeconds(seconds: number): Promise<Staff> {
  service.clock.advanceSeconds(seconds);
  return signedIn(service, admin);
}

function inDays(days: number): string {
  return new Date(service.clock.now().getTime() + days * DAY_SECONDS * 1000).toISOString();
}

describe('inviteUser', () => {
  it('makes a pending invitation for seven days', async () => {
    const input = invitee();
    const now = service.clock.now().toISOString();
    expect(await invite(service, admin, input)).toEqual({
      __typename: 'InvitationPayload',
      invitation: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        email: input.email,
        firstName: 'Hedy',
        lastName: 'Lamarr',
        locale: null,
        status: 'PENDING',
        roles: [],
        expiresAt: inDays(7),
        mailedAt: null,
        acceptedAt: null,
        revokedAt: null,
        createdAt: now,
        updatedAt: now,
      },
    });
  });

  it('takes remark, language, expiry and roles', async () => {
    const reader = await createRoleRow(service, ['USERS_READ'], 'reader');
    const adminRole = await roleNamed(service, 'admin');
    const { invitation } = await invited(
      service,
      admin,
      invitee({
        remark: ' for the archive\nfrom May on ',
        locale: 'PT-br',
        expirationInDays: 365,
        roleIds: [reader.id, reader.id.toUpperCase(), adminRole.id],
      }),
    );
    expect(invitation).toMatchObject({
      locale: 'pt-BR',
      expiresAt: inDays(365),
      roles: [{ name: 'admin' }, { name: 'reader' }],
    });
    expect(await invitationById(service, admin, invitation.id)).toMatchObject({
      remark: 'for the archive\nfrom May on',
      invitedBy: { id: admin.userId },
      acceptedBy: null,
    });
  });

  it('sends one mail with a link to the front end, and tells the inviter no secret', async () => {
    const answer = await service.execute(InviteUser, { input: invitee({ firstName: 'https://evil.test' }) }, admin.as);
    const email =
      answer.data?.inviteUser?.__typename === 'InvitationPayload' ? answer.data.inviteUser.invitation.email : '';
    const mails = await mailsTo(service, email);
    expect(mails).toHaveLength(1);
    const [mail] = mails;
    if (mail === undefined) throw new Error('no mail');
    const link = linkIn(mail);
    expect(link.origin + link.pathname).toBe(`${service.app.issuer.url}/accept-invitation`);
    const token = link.searchParams.get('token') ?? '';
    expect(token).toHaveLength(71);
    expect(JSON.stringify(answer.data)).not.toContain(token.slice(-20));
  });

  it('keeps address and names in their canonical form', async () => {
    const { invitation } = await invited(
      service,
      admin,
      invitee({ email: ' Ｈedy@BÜCHER.example ', firstName: ' He\u0301dy ' }),
    );
    expect(invitation).toMatchObject({ email: 'hedy@xn--bcher-kva.example', firstName: 'H\u00e9dy' });
  });

  it('takes null for what may be left out', async () => {
    const nothing = { remark: null, locale: null, expirationInDays: null, roleIds: null };
    const { invitation } = await invited(service, admin, invitee(nothing));
    expect(invitation).toMatchObject({ locale: null, expiresAt: inDays(7), roles: [] });
  });

  it('is on record with who did it, for whom and from where', async () => {
    const role = await createRoleRow(service, ['AUDIT_READ'], 'auditor');
    const input = invitee({ roleIds: [role.id], remark: 'a quiet remark' });
    const headers = { 'user-agent': 'invitations-test' };
    const { data } = await service.execute(InviteUser, { input }, { ...admin.as, headers });
    const id = data?.inviteUser?.__typename === 'InvitationPayload' ? data.inviteUser.invitation.id : '';
    const event = (await eventsOf(service, 'invitation.created')).at(-1);
    expect(event).toEqual({
      id: expect.any(String),
      type: 'invitation.created',
      at: service.clock.now(),
      actorId: admin.userId,
      subjectId: null,
      email: input.email,
      ipAddress: '127.0.0.1',
      userAgent: 'invitations-test',
      requestId: expect.any(String),
      data: { invitationId: id, roles: ['auditor'], expiresAt: inDays(7) },
    });
  });

  it.each<[string, Partial<InviteUserInput>, readonly (readonly [string, string])[]]>([
    ['no address', { email: '' }, [['input.email', 'INVALID_EMAIL']]],
    ['an address that cannot be mailed', { email: 'nobody@' }, [['input.email', 'INVALID_EMAIL']]],
    ['an address of 10 kB', { email: `${'x'.repeat(10_000)}@latchkey.test` }, [['input.email', 'INVALID_EMAIL']]],
    ['an address with a NUL', { email: 'a\0b@latchkey.test' }, [['input.email', 'INVALID_EMAIL']]],
    [
      'an address with another one behind it',
      { email: 'a@latchkey.test\nBcc: b@latchkey.test' },
      [['input.email', 'INVALID_EMAIL']],
    ],
    [
      'no name',
      { firstName: '', lastName: '  ' },
      [
        ['input.firstName', 'REQUIRED'],
        ['input.lastName', 'REQUIRED'],
      ],
    ],
    ['a name of 10 kB', { lastName: 'x'.repeat(10_000) }, [['input.lastName', 'TOO_LONG']]],
    ['a name with a NUL', { firstName: 'He\0dy' }, [['input.firstName', 'INVALID_CHARACTERS']]],
    ['a name with a line break', { firstName: 'Hedy\nBcc: all' }, [['input.firstName', 'INVALID_CHARACTERS']]],
    ['a remark of 2,001 characters', { remark: 'x'.repeat(2001) }, [['input.remark', 'TOO_LONG']]],
    ['a remark with a NUL', { remark: 'x\0' }, [['input.remark', 'INVALID_CHARACTERS']]],
    ['no day', { expirationInDays: 0 }, [['input.expirationInDays', 'TOO_SMALL']]],
    ['fewer days than none', { expirationInDays: -2_147_483_648 }, [['input.expirationInDays', 'TOO_SMALL']]],
    ['366 days', { expirationInDays: 366 }, [['input.expirationInDays', 'TOO_LARGE']]],
    ['as many days as numbers go', { expirationInDays: 2_147_483_647 }, [['input.expirationInDays', 'TOO_LARGE']]],
    ['a language that is none', { locale: 'klingon!' }, [['input.locale', 'INVALID_LOCALE']]],
    ['a language with a line break', { locale: 'de\nBcc: all' }, [['input.locale', 'INVALID_LOCALE']]],
    ['a language of 10 kB', { locale: `de-${'x'.repeat(10_000)}` }, [['input.locale', 'INVALID_LOCALE']]],
    [
      'a language of 36 characters',
      { locale: 'de-x-abcdefgh-abcdefgh-abcdefgh-abcde' },
      [['input.locale', 'INVALID_LOCALE']],
    ],
    [
      'everything wrong at once',
      { email: '@', expirationInDays: 0, locale: '-' },
      [
        ['input.email', 'INVALID_EMAIL'],
        ['input.locale', 'INVALID_LOCALE'],
        ['input.expirationInDays', 'TOO_SMALL'],
      ],
    ],
  ])('refuses %s and invites nobody', async (_case, changes, fields) => {
    const before = await everything(service);
    expect(await invite(service, admin, invitee(changes))).toEqual(invalid(...fields));
    expect(await everything(service)).toEqual(before);
  });

  it.each([
    ['that does not exist', UNKNOWN_ID],
    ['with a forged id', "' OR 1=1 --"],
    ['with a NUL in its id', `${UNKNOWN_ID}\0`],
    ['without an id', ''],
  ])('refuses a role %s and invites nobody', async (_case, roleId) => {
    const { id } = await roleNamed(service, 'user');
    const before = await everything(service);
    expect(await invite(service, admin, invitee({ roleIds: [id, roleId] }))).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });

  it('gives as many roles as a user can hold, and refuses one more', async () => {
    const roles = await Promise.all(Array.from({ length: 50 }, () => createRoleRow(service, [])));
    const roleIds = roles.map(({ id }) => id);
    const before = await everything(service);
    // The role "user" is the 51st.
    expect(await invite(service, admin, invitee({ roleIds }))).toEqual(invalid(['input.roleIds', 'TOO_MANY']));
    expect(await invite(service, admin, invitee({ roleIds: Array(10_000).fill('x') }))).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
    const { invitation, token } = await invited(service, admin, invitee({ roleIds: roleIds.slice(1) }));
    expect(invitation.roles).toHaveLength(49);
    expect((await accepted(service, token)).user.roles).toHaveLength(50);
  });

  it('refuses to give a role with a permission that the inviter does not hold', async () => {
    const staff = await createStaff(service, ['INVITATIONS_WRITE', 'USERS_READ']);
    const mine = await createRoleRow(service, ['USERS_READ']);
    const more = await createRoleRow(service, ['USERS_READ', 'AUDIT_READ']);
    const adminRole = await roleNamed(service, 'admin');
    expect((await invited(service, staff, invitee({ roleIds: [mine.id] }))).invitation.roles).toEqual([
      { name: mine.name },
    ]);
    const before = await everything(service);
    for (const roleIds of [[more.id], [adminRole.id], [mine.id, more.id]]) {
      const answer = await service.execute(InviteUser, { input: invitee({ roleIds }) }, staff.as);
      expect(answer.data).toEqual({ inviteUser: null });
      expect(errorsOf(answer)).toEqual([forbidden('inviteUser')]);
    }
    expect(await everything(service)).toEqual(before);
  });

  it.each([
    ['an account', () => createPerson(service)],
    ['a revoked account', () => createPerson(service, { status: 'REVOKED' })],
    ['an account that nobody has proven', () => createPerson(service, { emailVerified: false, status: 'PENDING' })],
  ])('refuses an address that has %s, in whatever form it is written', async (_case, make) => {
    const { user } = await make();
    const before = await everything(service);
    for (const email of [user.email, user.email.toUpperCase(), ` ${user.email}`]) {
      expect(await invite(service, admin, invitee({ email }))).toEqual(emailTaken);
    }
    expect(await everything(service)).toEqual(before);
  });

  it('refuses an address with a pending invitation until that has expired to the second', async () => {
    const { invitation } = await invited(service, admin, invitee({ expirationInDays: 1 }));
    const { email } = invitation;
    const before = await everything(service);
    expect(await invite(service, admin, invitee({ email: email.toUpperCase() }))).toEqual(invitationPending);
    expect(await everything(service)).toEqual(before);
    admin = await afterSeconds(DAY_SECONDS - 1);
    expect(await invite(service, admin, invitee({ email }))).toEqual(invitationPending);
    admin = await afterSeconds(1);
    const second = await invited(service, admin, invitee({ email }));
    expect(second.invitation).toMatchObject({ email, status: 'PENDING' });
    expect(await invitationById(service, admin, invitation.id)).toMatchObject({ status: 'EXPIRED' });
  });

  it('takes an address again whose invitation was revoked', async () => {
    const { invitation } = await invited(service, admin);
    await revoke(service, admin, invitation.id);
    expect((await invited(service, admin, invitee({ email: invitation.email }))).invitation.status).toBe('PENDING');
  });

  it('says first what is wrong with the input, then with roles, then who has the address', async () => {
    const staff = await createStaff(service, ['INVITATIONS_WRITE']);
    const { email } = (await invited(service, admin)).invitation;
    await register(service, registrant(email));
    const { id: adminRole } = await roleNamed(service, 'admin');
    const ask = (changes: Partial<InviteUserInput>) =>
      service.execute(InviteUser, { input: invitee({ email, ...changes }) }, staff.as);
    const everythingWrong = { expirationInDays: 0, roleIds: [adminRole, UNKNOWN_ID] };
    expect((await ask(everythingWrong)).data?.inviteUser).toEqual(invalid(['input.expirationInDays', 'TOO_SMALL']));
    expect((await ask({ roleIds: [adminRole, UNKNOWN_ID] })).data?.inviteUser).toEqual(notFound);
    expect(errorsOf(await ask({ roleIds: [adminRole] }))).toEqual([forbidden('inviteUser')]);
    expect((await ask({})).data?.inviteUser).toEqual(emailTaken);
  });

  it('makes one invitation of ten at the same time, also where one has expired', async () => {
    const { invitation } = await invited(service, admin, invitee({ expirationInDays: 1 }));
    admin = await afterSeconds(DAY_SECONDS);
    const forms = [invitation.email, invitation.email.toUpperCase()];
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => invite(service, admin, invitee({ email: forms[index % 2] ?? '' }))),
    );
    expect(results.filter((result) => result?.__typename === 'InvitationPayload')).toHaveLength(1);
    expect(results.filter((result) => result?.__typename !== 'InvitationPayload')).toEqual(
      Array(9).fill(invitationPending),
    );
    expect(await mailsTo(service, invitation.email)).toHaveLength(2);
    const rows = await service.app.db.invitation.findMany({ where: { email: invitation.email, closedAt: null } });
    expect(rows).toHaveLength(1);
  });
});

const RemarkOfTheInvited = graphql(`
  mutation InvitationsInviteWithPeople($input: InviteUserInput!) {
    inviteUser(input: $input) {
      __typename
      ... on InvitationPayload {
        invitation {
          email
          remark
          roles {
            name
            permissions
          }
          invitedBy {
            email
          }
          acceptedBy {
            email
          }
        }
      }
    }
  }
`);

describe('who may invite and not read', () => {
  it('sees the invitation and oneself as its inviter, but not the remark', async () => {
    const staff = await createStaff(service, ['INVITATIONS_WRITE']);
    const input = invitee({ remark: 'for the archive' });
    const answer = await service.execute(RemarkOfTheInvited, { input }, staff.as);
    expect(answer.data?.inviteUser).toEqual({
      __typename: 'InvitationPayload',
      invitation: {
        email: input.email,
        remark: null,
        roles: [],
        invitedBy: { email: staff.user.email },
        acceptedBy: null,
      },
    });
    expect(errorsOf(answer)).toEqual([forbidden('inviteUser', 'invitation', 'remark')]);
  });
});
