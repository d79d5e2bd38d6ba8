import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail as the server of its receiver has it. */
export interface DeliveredMail {
  readonly messageId: string;
  /** Of the envelope. */
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly email: Email;
}

/** What the server says to a mail: that it has taken it, or a code that refuses it, or nothing at all. */
export type Answer = 'taken' | 'taken in silence' | 'silence' | number;

export interface SmtpSink {
  readonly url: string;
  /** Each that was taken, the oldest first. */
  readonly mails: readonly DeliveredMail[];
  /** With a promise, when that is fulfilled. */
  answer: (mail: DeliveredMail) => Answer | Promise<Answer>;
  close(): Promise<void>;
}

/** A real SMTP server that keeps what it is given. */
export async function startSmtpSink(options: SMTPServerOptions = {}): Promise<SmtpSink> {
  const mails: DeliveredMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onData(stream, { envelope }, done) {
      buffer(stream)
        .then(async (bytes) => {
          const email = await PostalMime.parse(bytes);
          const mail = {
            messageId: email.messageId ?? '',
            from: envelope.mailFrom ? envelope.mailFrom.address : '',
            to: envelope.rcptTo.map(({ address }) => address),
            raw: bytes.toString(),
            email,
          };
          const answer = await sink.answer(mail);
          if (answer === 'taken' || answer === 'taken in silence') mails.push(mail);
          if (answer === 'taken') done();
          if (typeof answer === 'number') done(Object.assign(new Error('no'), { responseCode: answer }));
        })
        .catch(done);
    },
    ...options,
  });
  // A client that is killed cuts its connection.
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const sink: SmtpSink = {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    answer: () => 'taken',
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return sink;
}
