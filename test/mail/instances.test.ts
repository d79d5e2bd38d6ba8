import { afterAll, beforeAll, expect, it } from 'vitest';
import { queueMail } from '../../src/mail/mailer.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts';

const MAILS = 1000;

/** The instances that have opened a connection to send something: each has a name of its own at the SMTP server. */
const senders = new Set<string | undefined>();

let sink: SmtpSink;
let service: TestService;

beforeAll(async () => {
  sink = await startSmtpSink({
    onAuth: ({ username }, _session, done) => {
      senders.add(username);
      done(null, { user: username });
    },
  });
  service = await startTestService({ environment: { PUBLIC_URL: 'https://id.latchkey.test' } });
});
afterAll(async () => {
  await service.close();
  await sink.close();
});

function startInstance(name: string): Promise<TestService> {
  return startTestService({
    database: service,
    environment: {
      PUBLIC_URL: 'https://id.latchkey.test',
      WORKER: 'on',
      MAIL_TRANSPORT: 'smtp',
      SMTP_URL: sink.url.replace('//', `//${name}:secret@`),
    },
  });
}

it(`two instances send ${MAILS} mails, each of them once`, { timeout: 60_000 }, async () => {
  const { app } = service;
  await app.db.$transaction(
    async (transaction) => {
      for (let index = 0; index < MAILS; index += 1) {
        await queueMail(app, transaction, { kind: 'password_changed', recipient: `${index}@latchkey.test` });
      }
    },
    { timeout: 30_000 },
  );
  const instances = await Promise.all(['one', 'other'].map(startInstance));
  await expect.poll(() => app.db.mail.count({ where: { sentAt: null } }), { timeout: 45_000, interval: 200 }).toBe(0);
  for (const instance of instances) {
    expect(faultsOf(instance)).toEqual([]);
    await instance.close();
  }

  const owed = await app.db.mail.findMany();
  const expected = owed.map(({ id, recipient }) => `<${id}@id.latchkey.test> ${recipient}`);
  expect(sink.mails.map(({ messageId, to }) => `${messageId} ${to.join()}`).sort()).toEqual(expected.sort());
  expect(expected).toHaveLength(MAILS);
  expect([...senders].sort()).toEqual(['one', 'other']);
});
