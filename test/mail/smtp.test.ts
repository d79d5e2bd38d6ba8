import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openSmtp } from '../../src/transports/smtp.ts';
import { register, registrant, verifyEmail } from '../registration/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts';

let sink: SmtpSink;
let service: TestService;

beforeAll(async () => {
  sink = await startSmtpSink({
    onAuth: ({ username, password }, _session, done) =>
      username === 'latchkey' && password === 'p@ss' ? done(null, { user: username }) : done(new Error('wrong')),
  });
  service = await startTestService({
    environment: {
      PUBLIC_URL: 'https://id.latchkey.test',
      MAIL_TRANSPORT: 'smtp',
      MAIL_FROM: 'Example Accounts <accounts@latchkey.test>',
      SMTP_URL: sink.url.replace('//', '//latchkey:p%40ss@'),
    },
  });
});
afterEach(() => {
  sink.answer = () => 'taken';
});
afterAll(async () => {
  await service.close();
  await sink.close();
});

function mailsTo(address: string) {
  return sink.mails.filter(({ to }) => to.includes(address));
}

function owedTo(recipient: string) {
  return service.app.db.mail.findFirstOrThrow({ where: { recipient } });
}

describe('MAIL_TRANSPORT=smtp', () => {
  it('delivers a mail in text and HTML, from MAIL_FROM, with a link that works', async () => {
    const email = 'sofja@latchkey.test';
    await register(service, registrant(email));
    await service.runJobs();
    const [mail, ...others] = mailsTo(email);
    const { id } = await owedTo(email);
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ from: 'accounts@latchkey.test', to: [email] });
    expect(mail?.email).toMatchObject({
      messageId: `<${id}@id.latchkey.test>`,
      subject: 'Please confirm your e-mail address',
      from: { name: 'Example Accounts', address: 'accounts@latchkey.test' },
      to: [{ name: '', address: email }],
    });
    expect(mail?.email.headers).toContainEqual(
      expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
    );
    const link = new URL(mail?.email.text?.match(/https:\S+/)?.[0] ?? '');
    expect(mail?.email.html).toContain(link.href);
    expect(await verifyEmail(service, link.searchParams.get('token') ?? '')).toMatchObject({ email });
    expect(await owedTo(email)).toMatchObject({ sentAt: service.clock.now(), abandonedAt: null });
  });

  it('leaves nothing in a mailbox', async () => {
    for (const path of ['/mailbox', '/mailbox.json']) expect((await fetch(service.url + path)).status).toBe(404);
  });

  it('tries again with the same Message-ID and the same link when the server has no time', async () => {
    const email = 'later@latchkey.test';
    await register(service, registrant(email));
    const refused: string[] = [];
    sink.answer = ({ raw }) => {
      refused.push(raw);
      return 451;
    };
    await service.runJobs();
    expect(refused).toHaveLength(1);
    sink.answer = () => 'taken';
    await service.runJobs();
    expect(mailsTo(email)).toEqual([]);
    await service.runJobs({ early: true });
    const [mail] = mailsTo(email);
    const identity = (raw = '') => [raw.match(/^Message-ID: .*$/im)?.[0], raw.match(/token=3D[\w=\r\n-]+/)?.[0]];
    expect(identity(mail?.raw)).toEqual(identity(refused[0]));
    expect(await owedTo(email)).toMatchObject({ sentAt: service.clock.now() });
  });

  it('does not try again when the mail is refused for good', async () => {
    const email = 'nobody@latchkey.test';
    await register(service, registrant(email));
    let attempts = 0;
    sink.answer = () => {
      attempts += 1;
      return 550;
    };
    await service.runJobs();
    await service.runJobs({ early: true });
    expect(attempts).toBe(1);
    expect(await owedTo(email)).toMatchObject({ sentAt: null, abandonedReason: 'refused' });
    const line = service.log.find((text) => text.includes('a mail was refused')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ err: { message: 'SMTP: 550 after DATA' }, kind: 'email_verification' });
    expect(line).not.toMatch(/token=|nobody@/);
  });

  it('keeps the mail while the password for the server is wrong, or the server is away', async () => {
    const gone = await startSmtpSink();
    await gone.close();
    for (const [url, reason] of [
      [sink.url.replace('//', '//latchkey:wrong@'), /^SMTP: 535/],
      [gone.url, /^SMTP: ESOCKET|^SMTP: ECONNECTION/],
    ] as const) {
      const mailer = openSmtp(url);
      const sending = mailer.send(anyMail, new AbortController().signal);
      await expect(sending).rejects.toMatchObject({ name: 'Error', message: expect.stringMatching(reason) });
      await mailer.close();
    }
  });

  it('gives up on a server that is silent, and keeps the mail', async () => {
    sink.answer = () => 'silence';
    const mailer = openSmtp(sink.url);
    await expect(mailer.send(anyMail, AbortSignal.timeout(50))).rejects.toThrow('SMTP: failed');
    await mailer.close();
  });

  it('sends no password in the clear but to this machine', async () => {
    const mailer = openSmtp(sink.url.replace('127.0.0.1', 'user:secret@0.0.0.0'));
    await expect(mailer.send(anyMail, new AbortController().signal)).rejects.toThrow('SMTP: 500 after STARTTLS');
    await mailer.close();
  });

  it.each([
    ['subject', { subject: 'Hello\r\nBcc: everybody@latchkey.test' }],
    ['recipient', { to: 'one@latchkey.test\r\nBcc: everybody@latchkey.test' }],
    ['text', { text: 'Hello\r\n.\r\nMAIL FROM:<a@latchkey.test>' }],
  ])('lets nothing in the %s become a header or a command', async (_where, part) => {
    const mailer = openSmtp(sink.url);
    const before = sink.mails.length;
    await mailer.send({ ...anyMail, ...part }, new AbortController().signal).catch(() => {});
    await mailer.close();
    const sent = sink.mails.slice(before);
    expect(sent.length).toBeLessThanOrEqual(1);
    for (const { to, email } of sent) {
      expect(to.join()).not.toContain('everybody');
      expect(email.headers.map(({ key }) => key)).not.toContain('bcc');
      expect(email.bcc).toBeUndefined();
    }
  });

  it('lets a name with line breaks be text and nothing else', async () => {
    const { user } = await createPerson(service);
    const firstName = 'Sofja\r\nBcc: everybody@latchkey.test\r\n\r\nHello';
    await service.app.db.user.update({ where: { id: user.id }, data: { firstName } });
    await register(service, registrant(user.email));
    await service.runJobs();
    const [mail] = mailsTo(user.email);
    expect(mail?.to).toEqual([user.email]);
    expect(mail?.email.headers.map(({ key }) => key)).not.toContain('bcc');
    expect(mail?.email.subject).toBe('You already have an account');
  });
});

const anyMail = {
  id: '0196a1b2-0000-7000-8000-000000000000',
  messageId: '<0196a1b2-0000-7000-8000-000000000000@id.latchkey.test>',
  from: 'Example <no-reply@latchkey.test>',
  to: 'one@latchkey.test',
  subject: 'Hello',
  text: 'Hello',
  html: '<p>Hello</p>',
};
