import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo } from '../mailbox/reading.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { createAdministrator, type Staff, signedIn } from '../users/staff.ts';
import { accepted, invitationById, invited, invitee, remove, resent, revoke } from './operations.ts';

const DAY_SECONDS = 86_400;

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function mailedAt(id: string): Promise<string | null | undefined> {
  return (await invitationById(service, admin, id))?.mailedAt;
}

/** What became of the mails of an invitation, the oldest first. */
async function fates(invitationId: string): Promise<string[]> {
  const mails = await service.app.db.mail.findMany({ where: { invitationId }, orderBy: { id: 'asc' } });
  return mails.map(({ sentAt, abandonedReason }) => (sentAt === null ? (abandonedReason ?? 'waits') : 'sent'));
}

describe('the mail of an invitation', () => {
  it('is on record when it has left, and not before', async () => {
    const { invitation } = await invited(service, admin);
    expect(await mailedAt(invitation.id)).toBeNull();
    service.clock.advanceSeconds(30);
    const left = service.clock.now().toISOString();
    await service.runJobs();
    service.clock.advanceSeconds(30);
    await service.runJobs();
    expect([await mailedAt(invitation.id), await fates(invitation.id)]).toEqual([left, ['sent']]);
  });

  it('counts anew when it is sent again', async () => {
    const { invitation } = await invited(service, admin);
    await service.runJobs();
    await resent(service, admin, invitation);
    expect(await mailedAt(invitation.id)).toBeNull();
    service.clock.advanceSeconds(30);
    await service.runJobs();
    expect(await mailedAt(invitation.id)).toBe(service.clock.now().toISOString());
    expect(await fates(invitation.id)).toEqual(['sent', 'sent']);
    expect(await mailsTo(service, invitation.email)).toHaveLength(2);
  });

  it('is not sent with a link that a newer one has replaced', async () => {
    const { invitation } = await invited(service, admin);
    await resent(service, admin, invitation);
    await service.runJobs();
    expect(await fates(invitation.id)).toEqual(['no_longer_due', 'sent']);
  });

  it('is not sent once the invitation is revoked, accepted or expired, and nothing says that it was', async () => {
    const [revoked, used, late] = [
      await invited(service, admin),
      await invited(service, admin),
      await invited(service, admin, invitee({ expirationInDays: 1 })),
    ];
    await revoke(service, admin, revoked.invitation.id);
    await accepted(service, used.token);
    service.clock.advanceSeconds(DAY_SECONDS);
    admin = await signedIn(service, admin);
    await service.runJobs();
    for (const { invitation } of [revoked, used, late]) {
      expect([await fates(invitation.id), await mailedAt(invitation.id)]).toEqual([['no_longer_due'], null]);
    }
  });

  it('goes with the invitation that is deleted', async () => {
    const { invitation } = await invited(service, admin);
    await remove(service, admin, invitation.id);
    await service.runJobs();
    expect(await fates(invitation.id)).toEqual([]);
  });
});
