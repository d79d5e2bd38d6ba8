import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Prisma } from '../../src/database/generated/client.ts';
import { mailOwed, queueMail } from '../../src/mail/mailer.ts';
import { instantIn, issueOneTimeToken, revokeUserTokens } from '../../src/tokens/service.ts';
import { mailVerification } from '../../src/verification/service.ts';
import { mailsTo } from '../mailbox/reading.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';

const DAY_SECONDS = 86_400;

describe.each(['postgres', 'embedded'] as const)('a mail that waits, on the database %s', (database) => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ database });
  });
  afterAll(async () => {
    expect(faultsOf(service)).toEqual([]);
    await service.close();
  });

  function inTransaction<T>(work: (transaction: Prisma.TransactionClient) => Promise<T>): Promise<T> {
    return service.app.db.$transaction((transaction) => work(transaction));
  }

  async function owedVerification() {
    const { user } = await createPerson(service, { emailVerified: false });
    await inTransaction((transaction) => mailVerification(service.app, transaction, user));
    return user;
  }

  async function fateOf(recipient: string) {
    await service.runJobs();
    const select = { sentAt: true, abandonedAt: true, abandonedReason: true };
    return service.app.db.mail.findMany({ where: { recipient }, orderBy: { createdAt: 'asc' }, select });
  }

  const sent = () => ({ sentAt: service.clock.now(), abandonedAt: null, abandonedReason: null });
  const noLongerDue = () => ({
    sentAt: null,
    abandonedAt: service.clock.now(),
    abandonedReason: 'no_longer_due',
  });

  it('is sent, once', async () => {
    const { email } = await owedVerification();
    expect(await fateOf(email)).toEqual([sent()]);
    const [first] = await fateOf(email);
    service.clock.advanceSeconds(1);
    await service.app.queue.enqueue(service.app.db, mailOwed, await payloadOf(email));
    expect(await fateOf(email)).toEqual([first]);
    expect(await mailsTo(service, email)).toHaveLength(1);
  });

  it('is not sent when a newer one has been asked for', async () => {
    const user = await owedVerification();
    service.clock.advanceSeconds(1);
    await inTransaction((transaction) => mailVerification(service.app, transaction, user));
    expect(await fateOf(user.email)).toEqual([noLongerDue(), sent()]);
    expect(await mailsTo(service, user.email)).toHaveLength(1);
  });

  it('is not sent when its link is dead, has been used, or has expired', async () => {
    const dead = await owedVerification();
    await inTransaction((transaction) => revokeUserTokens(service.app, transaction, dead.id));
    const used = await owedVerification();
    await service.app.db.oneTimeToken.updateMany({
      where: { userId: used.id },
      data: { consumedAt: service.clock.now() },
    });
    expect(await fateOf(dead.email)).toEqual([noLongerDue()]);
    expect(await fateOf(used.email)).toEqual([noLongerDue()]);
    const expired = await owedVerification();
    service.clock.advanceSeconds(DAY_SECONDS);
    expect(await fateOf(expired.email)).toEqual([noLongerDue()]);
  });

  it('is not sent when the address is proven, or the person revoked, by now', async () => {
    const proven = await owedVerification();
    await service.app.db.user.update({ where: { id: proven.id }, data: { emailVerified: true } });
    const revoked = await owedVerification();
    await service.app.db.user.update({ where: { id: revoked.id }, data: { status: 'REVOKED' } });
    expect(await fateOf(proven.email)).toEqual([noLongerDue()]);
    expect(await fateOf(revoked.email)).toEqual([noLongerDue()]);
  });

  it('is gone with the user, and its job finds nothing to do', async () => {
    const { id, email } = await owedVerification();
    await service.app.db.user.delete({ where: { id } });
    expect(await fateOf(email)).toEqual([]);
    const { rows } = await service.app.database.pool.query(`SELECT 1 FROM job WHERE state <> 'completed'`);
    expect(rows).toEqual([]);
  });

  async function invite() {
    const now = service.clock.now();
    const data = { firstName: 'Sofja', lastName: 'Kowalewskaja', createdAt: now, updatedAt: now };
    const email = `${newId()}@latchkey.test`;
    const invitation = await service.app.db.invitation.create({
      data: { ...data, email, expiresAt: instantIn(service.app, DAY_SECONDS) },
    });
    await mailInvitation(invitation);
    return invitation;
  }

  function mailInvitation({ id: invitationId, email }: { readonly id: string; readonly email: string }) {
    return inTransaction(async (transaction) => {
      const owner = { purpose: 'INVITATION', invitationId } as const;
      const expiresAt = instantIn(service.app, DAY_SECONDS);
      const tokenId = await issueOneTimeToken(service.app, transaction, owner, { email, expiresAt });
      await queueMail(service.app, transaction, { kind: 'invitation', recipient: email, invitationId, tokenId });
    });
  }

  function mailedAtOf(id: string) {
    return service.app.db.invitation.findUniqueOrThrow({ where: { id }, select: { mailedAt: true } });
  }

  it('tells the invitation when it left, once', async () => {
    const { id, email } = await invite();
    expect(await mailedAtOf(id)).toEqual({ mailedAt: null });
    const leftAt = service.clock.now();
    expect(await fateOf(email)).toEqual([sent()]);
    expect(await mailedAtOf(id)).toEqual({ mailedAt: leftAt });
    service.clock.advanceSeconds(60);
    await mailInvitation({ id, email });
    await service.runJobs();
    expect(await mailedAtOf(id)).toEqual({ mailedAt: leftAt });
  });

  it.each([
    ['revoked', { revokedAt: new Date(), closedAt: new Date() }],
    ['accepted', { acceptedAt: new Date(), closedAt: new Date() }],
    ['expired', { expiresAt: new Date(0) }],
  ])('is not sent for an invitation that is %s', async (_how, data) => {
    const { id, email } = await invite();
    await service.app.db.invitation.update({ where: { id }, data });
    expect(await fateOf(email)).toEqual([noLongerDue()]);
    expect(await mailedAtOf(id)).toEqual({ mailedAt: null });
  });

  async function payloadOf(recipient: string) {
    const { id: mailId } = await service.app.db.mail.findFirstOrThrow({ where: { recipient } });
    return { mailId };
  }
});
