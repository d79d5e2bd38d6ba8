import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queueMail } from '../../src/mail/mailer.ts';
import { Register, register, registrant, VerifyEmail, verifyEmail } from '../registration/operations.ts';
import { cliScript, startProcess, startService, temporaryDirectory } from '../support/process.ts';
import { startTestService, type TestService, testEnvironment } from '../support/service.ts';
import { type DeliveredMail, type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts';

const ROUNDS = 50;
/** For claims of the dead to lapse, and for somebody to notice. */
const recovery = { timeout: 60_000, interval: 250 };

let sink: SmtpSink;

beforeAll(async () => {
  sink = await startSmtpSink();
});
afterAll(() => sink.close());

function environmentOf(service: TestService) {
  const { databaseUrl, publicUrl } = service.app.config;
  return {
    ...testEnvironment,
    WORKER: 'on',
    DATABASE_URL: databaseUrl ?? '',
    PUBLIC_URL: publicUrl ?? '',
    MAIL_TRANSPORT: 'smtp',
    SMTP_URL: sink.url,
  };
}

function tokenIn({ email }: DeliveredMail): string {
  const [link] = email.text?.match(/https?:\S+/) ?? [];
  return new URL(link ?? '').searchParams.get('token') ?? '';
}

/** The mails that were taken, by their receiver. */
function copies(): ReadonlyMap<string, readonly DeliveredMail[]> {
  return Map.groupBy(sink.mails, ({ to }) => to.join());
}

describe('mails of a service whose worker is killed while it sends', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ environment: { PUBLIC_URL: 'http://id.latchkey.test' } });
  });
  afterAll(() => service.close());

  it(`all arrive, none of them more than twice, when that happens ${ROUNDS} times`, { timeout: 300_000 }, async () => {
    const addresses = Array.from({ length: ROUNDS }, (_, round) => `round-${round}@latchkey.test`);
    const interrupted = new Set<string>();
    for (const [round, email] of addresses.entries()) {
      await register(service, registrant(email));
      await rollBack(service, `never-${round}@latchkey.test`);
      // Every second one is killed after the mail was taken, the others before; and never twice at the same mail.
      const inFlight = Promise.withResolvers<void>();
      sink.answer = ({ to }) => {
        const isFirst = !interrupted.has(to.join());
        interrupted.add(to.join());
        inFlight.resolve();
        return isFirst && round % 2 === 1 ? 'taken in silence' : 'silence';
      };
      const worker = startProcess(cliScript, ['worker'], { environment: environmentOf(service) });
      await Promise.race([inFlight.promise, worker.exit]);
      worker.send('SIGKILL');
      expect(await worker.exit).toMatchObject({ signal: 'SIGKILL' });
    }
    const takenBefore = sink.mails.length;
    expect(takenBefore).toBeGreaterThan(ROUNDS / 4);

    sink.answer = () => 'taken';
    const worker = startProcess(cliScript, ['worker'], { environment: environmentOf(service) });
    const unsent = { recipient: { in: addresses }, sentAt: null };
    await expect.poll(() => service.app.db.mail.count({ where: unsent }), recovery).toBe(0);
    worker.send('SIGTERM');
    expect(await worker.exit).toMatchObject({ code: 0 });

    expect([...copies().keys()].sort()).toEqual([...addresses].sort());
    const counts = [...copies().values()].map(({ length }) => length);
    expect(Math.max(...counts)).toBe(2);
    expect(sink.mails).toHaveLength(ROUNDS + takenBefore);
    for (const [email, mails] of copies()) {
      const [mail] = mails;
      expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1);
      expect(await verifyEmail(service, mail ? tokenIn(mail) : '')).toMatchObject({ email });
    }
  });
});

async function rollBack({ app }: TestService, recipient: string): Promise<void> {
  const failing = app.db.$transaction(async (transaction) => {
    await queueMail(app, transaction, { kind: 'password_changed', recipient });
    throw new Error('rolled back');
  });
  await expect(failing).rejects.toThrow('rolled back');
}

describe('mails of a service on the embedded database that is killed', () => {
  it('all arrive after the next start', { timeout: 200_000 }, async () => {
    const environment = {
      ...testEnvironment,
      WORKER: 'on',
      DATA_DIR: temporaryDirectory(),
      MAIL_TRANSPORT: 'smtp',
      SMTP_URL: sink.url,
      PUBLIC_URL: 'http://id.latchkey.test',
    };
    const [taken, waiting] = ['taken@latchkey.test', 'waiting@latchkey.test'];
    const inFlight = new Set<string>();
    sink.answer = ({ to }) => {
      inFlight.add(to.join());
      return to.includes(taken) ? 'taken in silence' : 'silence';
    };
    const service = await startService(environment);
    for (const email of [taken, waiting]) {
      const { data } = await service.execute(Register, { input: registrant(email) });
      expect(data?.registerUser).toMatchObject({ __typename: 'RegisterUserPayload' });
    }
    await expect.poll(() => [...inFlight].sort(), recovery).toEqual([taken, waiting]);
    service.send('SIGKILL');
    await service.exit;

    sink.answer = () => 'taken';
    const next = await startService(environment);
    await expect.poll(() => [taken, waiting].map((email) => copies().get(email)?.length), recovery).toEqual([2, 1]);
    for (const email of [taken, waiting]) {
      const mails = copies().get(email) ?? [];
      expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1);
      const token = mails[0] ? tokenIn(mails[0]) : '';
      const { data } = await next.execute(VerifyEmail, { token });
      expect(data?.verifyEmail).toMatchObject({ email });
    }
    expect(await next.stop()).toMatchObject({ code: 0 });
  });
});
