import { afterAll, beforeAll, expect, it } from 'vitest';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { type Answer, type DeliveredMail, type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts';
import { createAdministrator } from '../users/staff.ts';
import { accepted, invitationById, invite, invitee, resend } from './operations.ts';

let sink: SmtpSink;
let service: TestService;

beforeAll(async () => {
  sink = await startSmtpSink();
  service = await startTestService({
    environment: { PUBLIC_URL: 'https://id.latchkey.test', MAIL_TRANSPORT: 'smtp', SMTP_URL: sink.url },
  });
});
afterAll(async () => {
  await service.close();
  await sink.close();
});

/** The next mail that comes to the server, which waits with its answer until it is told. */
function nextMail(): Promise<{ readonly mail: DeliveredMail; readonly take: () => void }> {
  const { promise, resolve } = Promise.withResolvers<{ readonly mail: DeliveredMail; readonly take: () => void }>();
  const { promise: answer, resolve: say } = Promise.withResolvers<Answer>();
  sink.answer = (mail) => {
    resolve({ mail, take: () => say('taken') });
    return answer;
  };
  return promise;
}

it('a mail that leaves while the invitation is sent again does not count as the mail with the new link', async () => {
  const admin = await createAdministrator(service);
  const input = invitee();
  const made = await invite(service, admin, input);
  if (made?.__typename !== 'InvitationPayload') throw new Error('no invitation');
  const { id } = made.invitation;
  const mailedAt = async () => (await invitationById(service, admin, id))?.mailedAt;
  const sentAt = async () =>
    (await service.app.db.mail.findMany({ where: { invitationId: id }, orderBy: { id: 'asc' } })).map(
      (row) => row.sentAt,
    );

  const arriving = nextMail();
  const jobs = service.runJobs();
  const older = await arriving;
  service.clock.advanceSeconds(30);
  await resend(service, admin, id);
  const arrivingAnew = nextMail();
  const tookOlder = service.clock.now();
  older.take();
  // One after the other: the older one's job has ended when the newer one's begins.
  const newer = await arrivingAnew;
  expect([await sentAt(), await mailedAt()]).toEqual([[tookOlder, null], null]);

  service.clock.advanceSeconds(30);
  newer.take();
  await jobs;
  expect([await sentAt(), await mailedAt()]).toEqual([
    [tookOlder, service.clock.now()],
    service.clock.now().toISOString(),
  ]);
  const tokens = [older, newer].map(({ mail }) => mail.email.text?.match(/token=([\w-]+)/)?.[1] ?? '');
  expect(new Set(tokens).size).toBe(2);
  expect(await accepted(service, tokens[1] ?? '')).toMatchObject({ user: { email: input.email } });
  expect(faultsOf(service)).toEqual([]);
});
