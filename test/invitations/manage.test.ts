import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo } from '../mailbox/reading.ts';
import { errorsOf, faultsOf, forbidden } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { emailTaken, invalid, notFound, UserById, unknownIds } from '../users/operations.ts';
import {
  createAdministrator,
  createRoleRow,
  createStaff,
  eventsOf,
  everything,
  type Staff,
  signedIn,
} from '../users/staff.ts';
import {
  accept,
  accepted,
  InvitationById,
  invitationById,
  invitationNotPending,
  invitationPending,
  invite,
  invited,
  invitee,
  preview,
  ResendInvitation,
  remove,
  resend,
  resent,
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

async function afterDays(days: number): Promise<void> {
  service.clock.advanceSeconds(days * DAY_SECONDS);
  admin = await signedIn(service, admin);
}

function inDays(days: number): string {
  return new Date(service.clock.now().getTime() + days * DAY_SECONDS * 1000).toISOString();
}

/** One of each that is no longer pending, and the token of its mail. */
const ended = {
  ACCEPTED: async () => {
    const one = await invited(service, admin);
    await accepted(service, one.token);
    return one;
  },
  EXPIRED: async () => {
    const one = await invited(service, admin, invitee({ expirationInDays: 1 }));
    await afterDays(1);
    return one;
  },
  REVOKED: async () => {
    const one = await invited(service, admin);
    await revoke(service, admin, one.invitation.id);
    return one;
  },
} as const;

describe('resendInvitation', () => {
  it('gives a pending one a new link and a new expiry; the old link is dead', async () => {
    const { invitation, token } = await invited(service, admin, invitee({ locale: 'de' }));
    await service.app.db.invitation.update({
      where: { id: invitation.id },
      data: { mailedAt: service.clock.now() },
    });
    await afterDays(1);
    expect(await resend(service, admin, invitation.id)).toEqual({
      __typename: 'InvitationPayload',
      invitation: {
        ...invitation,
        expiresAt: inDays(7),
        mailedAt: null,
        updatedAt: service.clock.now().toISOString(),
      },
    });
    expect(await mailsTo(service, invitation.email)).toHaveLength(2);
    expect(await preview(service, token)).toBeNull();
    expect(await accept(service, token)).toMatchObject({ reason: 'REVOKED' });
  });

  it('opens an expired one again, for as long as is said', async () => {
    const { invitation, token } = await ended.EXPIRED();
    expect(await accept(service, token)).toMatchObject({ reason: 'EXPIRED' });
    expect(await resend(service, admin, invitation.id, 365)).toMatchObject({
      invitation: { id: invitation.id, status: 'PENDING', expiresAt: inDays(365) },
    });
    const newer = await resent(service, admin, invitation);
    expect((await accepted(service, newer)).user.email).toBe(invitation.email);
  });

  it('leaves it with the person who invited first', async () => {
    const { invitation } = await invited(service, admin);
    const other = await createAdministrator(service);
    await resent(service, other, invitation);
    expect(await invitationById(service, admin, invitation.id)).toMatchObject({ invitedBy: { id: admin.userId } });
  });

  it.each(['ACCEPTED', 'REVOKED'] as const)('refuses one that is %s', async (status) => {
    const { invitation } = await ended[status]();
    const before = await everything(service);
    expect(await resend(service, admin, invitation.id)).toEqual(invitationNotPending(status));
    expect(await everything(service)).toEqual(before);
  });

  it('refuses an expired one while the address has another that is pending, and not once that has ended', async () => {
    const { invitation } = await ended.EXPIRED();
    const second = await invited(service, admin, invitee({ email: invitation.email }));
    const before = await everything(service);
    expect(await resend(service, admin, invitation.id)).toEqual(invitationPending);
    expect(await everything(service)).toEqual(before);
    await revoke(service, admin, second.invitation.id);
    expect(await resend(service, admin, invitation.id)).toMatchObject({ invitation: { status: 'PENDING' } });
    expect(await invite(service, admin, invitee({ email: invitation.email }))).toEqual(invitationPending);
  });

  it('opens an expired one while the address has another that has expired', async () => {
    const { invitation } = await ended.EXPIRED();
    const second = await invited(service, admin, invitee({ email: invitation.email, expirationInDays: 1 }));
    await afterDays(1);
    expect(await resend(service, admin, invitation.id)).toMatchObject({ invitation: { status: 'PENDING' } });
    expect(await resend(service, admin, second.invitation.id)).toEqual(invitationPending);
  });

  it('refuses when the address has become a user’s, before it says that another is pending', async () => {
    const { invitation } = await ended.EXPIRED();
    const second = await invited(service, admin, invitee({ email: invitation.email }));
    await createPerson(service, { email: invitation.email });
    const before = await everything(service);
    for (const { id } of [invitation, second.invitation]) expect(await resend(service, admin, id)).toEqual(emailTaken);
    expect(await everything(service)).toEqual(before);
  });

  it.each([
    [0, 'TOO_SMALL'],
    [-1, 'TOO_SMALL'],
    [366, 'TOO_LARGE'],
    [2_147_483_647, 'TOO_LARGE'],
  ])('refuses %i days and changes nothing', async (days, code) => {
    const { invitation } = await invited(service, admin);
    const before = await everything(service);
    expect(await resend(service, admin, invitation.id, days)).toEqual(invalid(['input.expirationInDays', code]));
    expect(await everything(service)).toEqual(before);
  });

  it('takes null for the days that are configured', async () => {
    const { invitation } = await invited(service, admin, invitee({ expirationInDays: 30 }));
    expect(await resend(service, admin, invitation.id, null)).toMatchObject({ invitation: { expiresAt: inDays(7) } });
  });

  it('refuses to give roles anew that the sender does not hold', async () => {
    const role = await createRoleRow(service, ['AUDIT_READ']);
    const { invitation } = await invited(service, admin, invitee({ roleIds: [role.id] }));
    const staff = await createStaff(service, ['INVITATIONS_WRITE']);
    const before = await everything(service);
    const answer = await service.execute(ResendInvitation, { input: { id: invitation.id } }, staff.as);
    expect(answer.data).toEqual({ resendInvitation: null });
    expect(errorsOf(answer)).toEqual([forbidden('resendInvitation')]);
    expect(await everything(service)).toEqual(before);
  });

  it('is on record', async () => {
    const { invitation } = await ended.EXPIRED();
    await resent(service, admin, invitation);
    expect((await eventsOf(service, 'invitation.resent')).at(-1)).toMatchObject({
      actorId: admin.userId,
      subjectId: null,
      email: invitation.email,
      data: { invitationId: invitation.id, roles: [], expiresAt: inDays(7), previousStatus: 'EXPIRED' },
    });
  });
});

describe('revokeInvitation', () => {
  it('takes a pending one back; its link is dead', async () => {
    const { invitation, token } = await invited(service, admin);
    const now = service.clock.now().toISOString();
    expect(await revoke(service, admin, invitation.id)).toEqual({
      __typename: 'InvitationPayload',
      invitation: { ...invitation, status: 'REVOKED', revokedAt: now, updatedAt: now },
    });
    expect(await preview(service, token)).toMatchObject({ status: 'REVOKED' });
    expect(await accept(service, token)).toMatchObject({ reason: 'REVOKED' });
    expect((await eventsOf(service, 'invitation.revoked')).at(-1)).toMatchObject({
      actorId: admin.userId,
      subjectId: null,
      email: invitation.email,
      data: { invitationId: invitation.id },
    });
  });

  it.each(['ACCEPTED', 'EXPIRED', 'REVOKED'] as const)('refuses one that is %s', async (status) => {
    const { invitation } = await ended[status]();
    const before = await everything(service);
    expect(await revoke(service, admin, invitation.id)).toEqual(invitationNotPending(status));
    expect(await everything(service)).toEqual(before);
  });
});

describe('deleteInvitation', () => {
  it('takes a pending one away with its roles, its link and its mail', async () => {
    const role = await createRoleRow(service, []);
    const { invitation, token } = await invited(service, admin, invitee({ roleIds: [role.id] }));
    expect(await remove(service, admin, invitation.id)).toEqual({ __typename: 'DeletedPayload', id: invitation.id });
    expect(await invitationById(service, admin, invitation.id)).toBeNull();
    expect(await preview(service, token)).toBeNull();
    expect(await accept(service, token)).toMatchObject({ reason: 'NOT_FOUND' });
    const where = { invitationId: invitation.id };
    const { db } = service.app;
    const left = [db.invitationRole.count({ where }), db.oneTimeToken.count({ where }), db.mail.count({ where })];
    expect(await Promise.all(left)).toEqual([0, 0, 0]);
    expect((await eventsOf(service, 'invitation.deleted')).at(-1)).toMatchObject({
      actorId: admin.userId,
      subjectId: null,
      email: invitation.email,
      data: { invitationId: invitation.id, status: 'PENDING' },
    });
    await invited(service, admin, invitee({ email: invitation.email }));
  });

  it.each(['ACCEPTED', 'EXPIRED', 'REVOKED'] as const)('takes one away that is %s', async (status) => {
    const { invitation } = await ended[status]();
    expect(await remove(service, admin, invitation.id)).toEqual({ __typename: 'DeletedPayload', id: invitation.id });
    expect((await eventsOf(service, 'invitation.deleted')).at(-1)?.data).toMatchObject({ status });
  });

  it('leaves the account alone that it became', async () => {
    const { invitation, token } = await invited(service, admin);
    const { user } = await accepted(service, token);
    await remove(service, admin, invitation.id);
    expect((await service.execute(UserById, { id: user.id }, admin.as)).data?.user).toMatchObject({ status: 'ACTIVE' });
  });
});

describe.each(unknownIds)('%s', (_case, id) => {
  it('is of no invitation', async () => {
    const before = await everything(service);
    expect(await resend(service, admin, id)).toEqual(notFound);
    expect(await revoke(service, admin, id)).toEqual(notFound);
    expect(await remove(service, admin, id)).toEqual(notFound);
    const answer = await service.execute(InvitationById, { id }, admin.as);
    expect([answer.data, answer.errors]).toEqual([{ invitation: null }, []]);
    expect(await everything(service)).toEqual(before);
  });
});

describe('an id in capitals', () => {
  it('is that of the invitation', async () => {
    const { invitation } = await invited(service, admin);
    const id = invitation.id.toUpperCase();
    expect(await invitationById(service, admin, id)).toMatchObject({ id: invitation.id });
    expect(await resend(service, admin, id)).toMatchObject({ invitation: { id: invitation.id } });
    expect(await revoke(service, admin, id)).toMatchObject({ invitation: { id: invitation.id } });
    expect(await remove(service, admin, id)).toEqual({ __typename: 'DeletedPayload', id: invitation.id });
  });
});

describe('invitationByToken', () => {
  it('shows what the mail is about, and uses nothing up', async () => {
    const { invitation, token } = await invited(service, admin, invitee({ remark: 'not for them' }));
    const before = await everything(service);
    for (let time = 1; time <= 3; time += 1) {
      expect(await preview(service, token)).toEqual({
        email: invitation.email,
        firstName: 'Hedy',
        lastName: 'Lamarr',
        inviterName: 'Emmy Noether',
        status: 'PENDING',
        expiresAt: invitation.expiresAt,
      });
    }
    expect(await everything(service)).toEqual(before);
    await accepted(service, token);
  });

  it.each(['ACCEPTED', 'EXPIRED', 'REVOKED'] as const)('shows what has become of it: %s', async (status) => {
    const { invitation, token } = await ended[status]();
    expect(await preview(service, token)).toMatchObject({ email: invitation.email, status });
  });

  it('says REVOKED before ACCEPTED before EXPIRED', async () => {
    const [revoked, used] = [await invited(service, admin), await invited(service, admin)];
    await revoke(service, admin, revoked.invitation.id);
    await accepted(service, used.token);
    await afterDays(8);
    expect(await preview(service, revoked.token)).toMatchObject({ status: 'REVOKED' });
    expect(await preview(service, used.token)).toMatchObject({ status: 'ACCEPTED' });
    const { id } = used.invitation;
    await service.app.db.invitation.update({ where: { id }, data: { revokedAt: service.clock.now() } });
    expect(await invitationById(service, admin, id)).toMatchObject({ status: 'REVOKED' });
  });

  it('shows nothing of a link that a newer mail has replaced, also when that was accepted', async () => {
    const { invitation, token } = await invited(service, admin);
    const newer = await resent(service, admin, invitation);
    expect(await preview(service, token)).toBeNull();
    expect(await preview(service, newer)).toMatchObject({ status: 'PENDING' });
    await accepted(service, newer);
    expect(await preview(service, token)).toBeNull();
    expect(await preview(service, newer)).toMatchObject({ status: 'ACCEPTED' });
  });

  it('knows no name of an inviter who was deleted', async () => {
    const { user } = await createAdministrator(service);
    const { invitation, token } = await invited(service, admin);
    await service.app.db.invitation.update({ where: { id: invitation.id }, data: { invitedById: user.id } });
    await service.app.db.user.delete({ where: { id: user.id } });
    expect(await preview(service, token)).toMatchObject({ inviterName: null });
  });

  it.each(['', 'garbage', 'x'.repeat(10_000), '\0'.repeat(71)])('shows nothing for what is no token', async (token) => {
    expect(await preview(service, token)).toBeNull();
  });

  it('shows nothing for a token that is changed by one character', async () => {
    const { token } = await invited(service, admin);
    for (const at of [0, 10, 25, 40, 69]) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(await preview(service, `${token.slice(0, at)}${other}${token.slice(at + 1)}`)).toBeNull();
    }
  });
});
