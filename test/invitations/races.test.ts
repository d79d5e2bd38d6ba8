import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import { invalidToken, register, registrant } from '../registration/operations.ts';
import { DeleteRole, roleInUse } from '../roles/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { DeleteUser, emailTaken, RevokeRole, RevokeUser } from '../users/operations.ts';
import { createAdministrator, createRoleRow, eventsOf, roleNamed, type Staff, signedIn } from '../users/staff.ts';
import {
  accept,
  invitationById,
  invitationNotPending,
  invitationPending,
  invite,
  invited,
  invitee,
  preview,
  remove,
  resend,
  revoke,
} from './operations.ts';

const ROUNDS = 20;
const DAY_SECONDS = 86_400;

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function twentyTimes(round: (number: number) => Promise<void>): Promise<void> {
  for (let number = 1; number <= ROUNDS; number += 1) await round(number);
}

/** How many of the accounts, sessions and acceptances on record there are for this address. */
async function accountsOf(email: string): Promise<Record<string, number>> {
  const { db } = service.app;
  return {
    users: await db.user.count({ where: { email } }),
    sessions: await db.session.count({ where: { user: { email } } }),
    acceptances: await db.auditEvent.count({ where: { email, type: 'invitation.accepted' } }),
  };
}

const NOBODY = { users: 0, sessions: 0, acceptances: 0 };
const ONE = { users: 1, sessions: 1, acceptances: 1 };

function isAccepted(answer: Awaited<ReturnType<typeof accept>>): boolean {
  return answer?.__typename === 'AuthPayload';
}

describe('at the same time', { timeout: 90_000 }, () => {
  it('invitations of one address are one, whether an expired one is in the way or not', async () => {
    await twentyTimes(async (number) => {
      const { invitation } = await invited(service, admin, invitee({ expirationInDays: 1 }));
      if (number % 2 === 0) await revoke(service, admin, invitation.id);
      service.clock.advanceSeconds(DAY_SECONDS);
      admin = await signedIn(service, admin);
      const input = invitee({ email: invitation.email });
      const results = await Promise.all(Array.from({ length: 4 }, () => invite(service, admin, input)));
      expect(results.filter((result) => result?.__typename === 'InvitationPayload')).toHaveLength(1);
      expect(results.filter((result) => result?.__typename !== 'InvitationPayload')).toEqual(
        Array(3).fill(invitationPending),
      );
      const open = { email: invitation.email, closedAt: null };
      expect(await service.app.db.invitation.count({ where: open })).toBe(1);
    });
  });

  it('fifty acceptances make one account, and the others hear that the link is used', async () => {
    const { invitation, token } = await invited(service, admin);
    const answers = await Promise.all(Array.from({ length: 50 }, () => accept(service, token)));
    expect(answers.filter(isAccepted)).toHaveLength(1);
    expect(answers.filter((answer) => !isAccepted(answer))).toEqual(Array(49).fill(invalidToken('ALREADY_USED')));
    expect(await accountsOf(invitation.email)).toEqual(ONE);
  });

  it('acceptances make one account each time', async () => {
    await twentyTimes(async () => {
      const { invitation, token } = await invited(service, admin);
      const answers = await Promise.all(Array.from({ length: 4 }, () => accept(service, token)));
      expect(answers.filter(isAccepted)).toHaveLength(1);
      expect(answers.filter((answer) => !isAccepted(answer))).toEqual(Array(3).fill(invalidToken('ALREADY_USED')));
      expect(await accountsOf(invitation.email)).toEqual(ONE);
    });
  });

  it('acceptance and revocation: one is done, and the other hears of it', async () => {
    await twentyTimes(async () => {
      const { invitation, token } = await invited(service, admin);
      const [answer, revocation] = await Promise.all([accept(service, token), revoke(service, admin, invitation.id)]);
      if (isAccepted(answer)) expect(revocation).toEqual(invitationNotPending('ACCEPTED'));
      else expect([answer, revocation]).toMatchObject([invalidToken('REVOKED'), { invitation: { status: 'REVOKED' } }]);
      expect(await accountsOf(invitation.email)).toEqual(isAccepted(answer) ? ONE : NOBODY);
    });
  });

  it('acceptance and deletion: there is an account or none, and no invitation', async () => {
    await twentyTimes(async () => {
      const { invitation, token } = await invited(service, admin);
      const [answer, deletion] = await Promise.all([accept(service, token), remove(service, admin, invitation.id)]);
      expect(deletion).toEqual({ __typename: 'DeletedPayload', id: invitation.id });
      if (!isAccepted(answer)) expect(answer).toEqual(invalidToken('NOT_FOUND'));
      expect(await accountsOf(invitation.email)).toEqual(isAccepted(answer) ? ONE : NOBODY);
      expect(await service.app.db.invitation.count({ where: { email: invitation.email } })).toBe(0);
    });
  });

  it('acceptance and a new mail: the old link works, or the new one does', async () => {
    await twentyTimes(async () => {
      const { invitation, token } = await invited(service, admin);
      const [answer, sent] = await Promise.all([accept(service, token), resend(service, admin, invitation.id)]);
      if (isAccepted(answer)) {
        expect(sent).toEqual(invitationNotPending('ACCEPTED'));
      } else {
        expect(answer).toEqual(invalidToken('REVOKED'));
        expect(isAccepted(await accept(service, await newestTokenTo(service, invitation.email)))).toBe(true);
      }
      expect(await accountsOf(invitation.email)).toEqual(ONE);
    });
  });

  it('acceptance and a new invitation: there is an account or a pending invitation, never both', async () => {
    await twentyTimes(async () => {
      const { invitation, token } = await invited(service, admin);
      const [answer, again] = await Promise.all([
        accept(service, token),
        invite(service, admin, invitee({ email: invitation.email })),
      ]);
      expect(isAccepted(answer)).toBe(true);
      expect([invitationPending, emailTaken]).toContainEqual(again);
      const open = { email: invitation.email, closedAt: null };
      expect(await service.app.db.invitation.count({ where: open })).toBe(0);
    });
  });

  it('acceptance and registration of one address: one account, and the other hears that it is taken', async () => {
    await twentyTimes(async () => {
      const { invitation, token } = await invited(service, admin);
      const [answer] = await Promise.all([
        accept(service, token),
        register(service, registrant(invitation.email, { firstName: 'Other' })),
      ]);
      const user = await service.app.db.user.findUniqueOrThrow({ where: { email: invitation.email } });
      if (isAccepted(answer)) {
        expect(user).toMatchObject({ firstName: 'Hedy', emailVerified: true });
        expect(await accountsOf(invitation.email)).toEqual(ONE);
      } else {
        expect(answer).toEqual(emailTaken);
        expect(user).toMatchObject({ firstName: 'Other', emailVerified: false });
        expect(await preview(service, token)).toMatchObject({ status: 'PENDING' });
      }
    });
  });

  it('acceptance and deletion of a role: it is held, or gone', async () => {
    await twentyTimes(async () => {
      const { id } = await createRoleRow(service, []);
      const { token } = await invited(service, admin, invitee({ roleIds: [id] }));
      const [answer, deletion] = await Promise.all([
        accept(service, token),
        service.execute(DeleteRole, { input: { id } }, admin.as),
      ]);
      expect([isAccepted(answer), deletion.errors]).toEqual([true, []]);
      const holders = await service.app.db.userRole.count({ where: { roleId: id } });
      const isDeleted = deletion.data?.deleteRole?.__typename === 'DeletedPayload';
      expect(holders).toBe(isDeleted ? 0 : 1);
      if (!isDeleted) expect(deletion.data?.deleteRole).toEqual(roleInUse(1));
    });
  });

  it('inviting and deletion of a role: it is in the invitation and gone from it, or not found', async () => {
    await twentyTimes(async () => {
      const { id } = await createRoleRow(service, []);
      const [answer, deletion] = await Promise.all([
        invite(service, admin, invitee({ roleIds: [id] })),
        service.execute(DeleteRole, { input: { id } }, admin.as),
      ]);
      expect(deletion.data?.deleteRole).toEqual({ __typename: 'DeletedPayload', id });
      if (answer?.__typename === 'InvitationPayload') {
        expect(await invitationById(service, admin, answer.invitation.id)).toMatchObject({ roles: [] });
      } else {
        expect(answer).toMatchObject({ code: 'NOT_FOUND' });
      }
    });
  });

  const losses: readonly (readonly [string, (inviter: Staff) => Promise<{ readonly errors: readonly unknown[] }>])[] = [
    [
      'stripped',
      async ({ userId }) => {
        const { id: roleId } = await roleNamed(service, 'admin');
        return service.execute(RevokeRole, { input: { userId, roleId } }, admin.as);
      },
    ],
    ['revoked', ({ userId }) => service.execute(RevokeUser, { input: { id: userId } }, admin.as)],
    ['deleted', ({ userId }) => service.execute(DeleteUser, { input: { id: userId } }, admin.as)],
  ];
  const eventOf: Readonly<Record<string, string>> = {
    stripped: 'role.revoked',
    revoked: 'user.revoked',
    deleted: 'user.deleted',
  };

  it.each(losses)('acceptance while the inviter is %s gives what the record says was in time', async (loss, lose) => {
    const role = await createRoleRow(service, ['AUDIT_READ']);
    await twentyTimes(async () => {
      const inviter = await createAdministrator(service);
      const { invitation, token } = await invited(service, inviter, invitee({ roleIds: [role.id] }));
      const [answer, lost] = await Promise.all([accept(service, token), lose(inviter)]);
      expect([isAccepted(answer), lost.errors]).toEqual([true, []]);
      const user = await service.app.db.user.findUniqueOrThrow({
        where: { email: invitation.email },
        include: { roles: true },
      });
      const isGiven = user.roles.some(({ roleId }) => roleId === role.id);
      const [event] = (await eventsOf(service, 'invitation.accepted')).filter(({ subjectId }) => subjectId === user.id);
      expect(event?.data).toMatchObject({ [isGiven ? 'roles' : 'withheld']: [role.name] });
      const [last] = (await eventsOf(service)).filter(({ type }) => type === eventOf[loss]).slice(-1);
      // Whoever comes second has waited for the first, so the order of the record is that of what happened.
      expect(isGiven).toBe((event?.id ?? '') < (last?.id ?? ''));
    });
  });

  it('mails sent anew: each has a link, and the last one works', async () => {
    await twentyTimes(async () => {
      const { invitation } = await invited(service, admin);
      const results = await Promise.all(Array.from({ length: 3 }, () => resend(service, admin, invitation.id)));
      expect(results.map((result) => result?.__typename)).toEqual(Array(3).fill('InvitationPayload'));
      const good = { invitationId: invitation.id, revokedAt: null, consumedAt: null };
      expect(await service.app.db.oneTimeToken.count({ where: good })).toBe(1);
      const mails = await mailsTo(service, invitation.email);
      expect(mails).toHaveLength(4);
    });
  });

  it('two expired ones sent anew and a new one for the same address are one', async () => {
    await twentyTimes(async () => {
      const first = await invited(service, admin, invitee({ expirationInDays: 1 }));
      const { email } = first.invitation;
      service.clock.advanceSeconds(DAY_SECONDS);
      admin = await signedIn(service, admin);
      const second = await invited(service, admin, invitee({ email, expirationInDays: 1 }));
      service.clock.advanceSeconds(DAY_SECONDS);
      admin = await signedIn(service, admin);
      const results = await Promise.all([
        resend(service, admin, first.invitation.id),
        resend(service, admin, second.invitation.id),
        invite(service, admin, invitee({ email })),
      ]);
      expect(results.filter((result) => result?.__typename === 'InvitationPayload')).toHaveLength(1);
      expect(results.filter((result) => result?.__typename !== 'InvitationPayload')).toEqual([
        invitationPending,
        invitationPending,
      ]);
    });
  });

  it('an inviter who sends, revokes and deletes while being deleted stops nobody', async () => {
    await twentyTimes(async () => {
      const inviter = await createAdministrator(service);
      const ids = [
        (await invited(service, inviter)).invitation.id,
        (await invited(service, inviter)).invitation.id,
        (await invited(service, inviter)).invitation.id,
      ] as const;
      const [deletion] = await Promise.all([
        service.execute(DeleteUser, { input: { id: inviter.userId } }, admin.as),
        resend(service, inviter, ids[0]),
        revoke(service, inviter, ids[1]),
        remove(service, inviter, ids[2]),
      ]);
      expect(deletion.data?.deleteUser).toEqual({ __typename: 'DeletedPayload', id: inviter.userId });
      expect(await service.app.db.invitation.count({ where: { invitedById: inviter.userId } })).toBe(0);
    });
  });
});
