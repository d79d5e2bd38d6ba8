import { createTransport } from 'nodemailer';
import { isLoopback } from '../config/readers.ts';
import { type Mailer, MailRefusedError, type OutgoingMail } from './mailer.ts';

// Together less than a mail may take, so that a connection ends before the mail is tried again.
const CONNECT_MILLISECONDS = 7000;
const GREETING_MILLISECONDS = 7000;
const SILENCE_MILLISECONDS = 15_000;
const CONNECTIONS = 5;

/**
 * A few connections to one server, kept open while there are mails. `smtps:` speaks TLS from the start; `smtp:` as soon as
 * the server offers it, and to anything but this machine a password only then.
 */
export function openSmtp(smtpUrl: string): Mailer {
  const transport = createTransport({
    ...serverOf(new URL(smtpUrl)),
    pool: true,
    maxConnections: CONNECTIONS,
    dnsTimeout: CONNECT_MILLISECONDS,
    connectionTimeout: CONNECT_MILLISECONDS,
    greetingTimeout: GREETING_MILLISECONDS,
    socketTimeout: SILENCE_MILLISECONDS,
    // Nothing of a mail is ever a place to read from.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(mail, signal) {
      signal.throwIfAborted();
      const { promise: aborted, reject } = Promise.withResolvers<never>();
      const abort = () => reject(new Error('the SMTP server took too long'));
      signal.addEventListener('abort', abort, { once: true });
      try {
        await Promise.race([transport.sendMail(messageOf(mail)), aborted]);
      } catch (error) {
        throw withoutWordsOfServer(error);
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    async close() {
      transport.close();
    },
  };
}

function serverOf({ protocol, hostname, port, username, password }: URL) {
  const host = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'smtps:';
  return {
    host,
    secure,
    ...(port !== '' && { port: Number(port) }),
    ...(username !== '' && {
      auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
      requireTLS: !secure && !isLoopback(host),
    }),
  };
}

function messageOf({ messageId, from, to, subject, text, html }: OutgoingMail) {
  return {
    messageId,
    from,
    // Not as text, in which a comma begins another receiver.
    to: { name: '', address: to },
    subject,
    text,
    html,
    // Nobody's absence is an answer to this (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

// Not a greeting or a password that is refused: those are for the operator to mend.
const ABOUT_THE_MAIL: ReadonlySet<unknown> = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);

/** What a server says may repeat the mail, link and all, and is logged; its codes are enough. */
function withoutWordsOfServer(error: unknown): Error {
  const { code, responseCode, command } = Object(error);
  const status = typeof responseCode === 'number' ? responseCode : null;
  const what = `SMTP: ${status ?? (typeof code === 'string' ? code : 'failed')}${typeof command === 'string' ? ` after ${command}` : ''}`;
  const isRefused = status !== null && status >= 500 && ABOUT_THE_MAIL.has(command);
  return isRefused ? new MailRefusedError(what) : new Error(what);
}
