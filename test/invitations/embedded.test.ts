import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { emailTaken, invalidToken, logIn, register, registrant } from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { DeleteUser } from '../users/operations.ts';
import { createAdministrator, createRoleRow, eventsOf, type Staff, signedIn } from '../users/staff.ts';
import {
  accept,
  accepted,
  Invitations,
  invitationById,
  invitationNotPending,
  invitationPending,
  invite,
  invited,
  invitee,
  PASSWORD,
  preview,
  remove,
  resend,
  resent,
  revoke,
} from './operations.ts';

const DAY_SECONDS = 86_400;

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService({ database: 'embedded' });
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service?.close());

async function afterDays(days: number): Promise<void> {
  service.clock.advanceSeconds(days * DAY_SECONDS);
  admin = await signedIn(service, admin);
}

describe('on the embedded database', () => {
  it('somebody is invited, previews, accepts, and signs in again', async () => {
    const role = await createRoleRow(service, ['USERS_READ'], 'reader');
    const { invitation, token } = await invited(service, admin, invitee({ roleIds: [role.id] }));
    expect(await preview(service, token)).toMatchObject({ email: invitation.email, status: 'PENDING' });
    const { user } = await accepted(service, token, { firstName: 'Hedwig' });
    expect(user).toMatchObject({
      firstName: 'Hedwig',
      emailVerified: true,
      roles: [{ name: 'reader' }, { name: 'user' }],
    });
    expect(await accept(service, token)).toEqual(invalidToken('ALREADY_USED'));
    expect(await preview(service, token)).toMatchObject({ status: 'ACCEPTED' });
    expect(await logIn(service, invitation.email, PASSWORD)).toMatchObject({ user: { id: user.id } });
    await service.execute(DeleteUser, { input: { id: user.id } }, admin.as);
    expect(await invitationById(service, admin, invitation.id)).toMatchObject({ status: 'ACCEPTED', acceptedBy: null });
  });

  it('an invitation expires, is sent again, revoked and deleted, all of it on record', async () => {
    const { invitation, token } = await invited(service, admin, invitee({ expirationInDays: 1 }));
    const { id, email } = invitation;
    expect(await invite(service, admin, invitee({ email }))).toEqual(invitationPending);
    await afterDays(1);
    expect(await accept(service, token)).toEqual(invalidToken('EXPIRED'));
    const newer = await resent(service, admin, invitation);
    expect(await accept(service, token)).toEqual(invalidToken('REVOKED'));
    await revoke(service, admin, id);
    expect(await accept(service, newer)).toEqual(invalidToken('REVOKED'));
    expect(await resend(service, admin, id)).toEqual(invitationNotPending('REVOKED'));
    expect(await revoke(service, admin, id)).toEqual(invitationNotPending('REVOKED'));
    expect(await remove(service, admin, id)).toEqual({ __typename: 'DeletedPayload', id });
    const types = (await eventsOf(service)).filter((event) => event.email === email).map(({ type }) => type);
    expect(types).toEqual(['invitation.created', 'invitation.resent', 'invitation.revoked', 'invitation.deleted']);
  });

  it('two expired ones of an address and a new one are one pending', async () => {
    const { invitation } = await invited(service, admin, invitee({ expirationInDays: 1 }));
    await afterDays(1);
    const input = invitee({ email: invitation.email });
    const results = await Promise.all([
      ...Array.from({ length: 9 }, () => invite(service, admin, input)),
      resend(service, admin, invitation.id),
    ]);
    expect(results.filter((result) => result?.__typename === 'InvitationPayload')).toHaveLength(1);
    expect(results.filter((result) => result?.__typename === 'InvitationPendingError')).toHaveLength(9);
  });

  it('fifty acceptances at once make one account', async () => {
    const { invitation, token } = await invited(service, admin);
    const answers = await Promise.all(Array.from({ length: 50 }, () => accept(service, token)));
    expect(answers.filter((answer) => answer?.__typename === 'AuthPayload')).toHaveLength(1);
    expect(answers.filter((answer) => answer?.__typename !== 'AuthPayload')).toEqual(
      Array(49).fill(invalidToken('ALREADY_USED')),
    );
    expect(await service.app.db.user.count({ where: { email: invitation.email } })).toBe(1);
  });

  it('an acceptance and a registration at once make one account', async () => {
    const { invitation, token } = await invited(service, admin);
    const [answer] = await Promise.all([accept(service, token), register(service, registrant(invitation.email))]);
    if (answer?.__typename !== 'AuthPayload') expect(answer).toEqual(emailTaken);
    expect(await service.app.db.user.count({ where: { email: invitation.email } })).toBe(1);
  });

  it('lists come filtered by what has become of them', async () => {
    const { invitation } = await invited(service, admin, invitee({ email: 'a_b@list.test', expirationInDays: 1 }));
    await invited(service, admin, invitee({ email: 'axb@list.test' }));
    await afterDays(1);
    const listed = async (filter: object) => {
      const variables = { filter, limit: 1, orderBy: { field: 'EMAIL' as const } };
      const { data } = await service.execute(Invitations, variables, admin.as);
      return [data?.invitations?.items.map(({ email }) => email), data?.invitations?.totalCount];
    };
    expect(await listed({ search: 'list.test' })).toEqual([[invitation.email], 2]);
    expect(await listed({ search: 'a_b@' })).toEqual([[invitation.email], 1]);
    expect(await listed({ search: 'LIST', status: ['EXPIRED'] })).toEqual([[invitation.email], 1]);
    expect(await listed({ search: 'LIST', status: ['PENDING', 'REVOKED'] })).toEqual([['axb@list.test'], 1]);
  });
});
