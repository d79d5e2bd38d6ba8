import { Resend } from 'resend';
import { MailDeferredError, type Mailer, MailRefusedError } from './mailer.ts';
import { retryAfterSeconds } from './retry-after.ts';

/** Mails go out through Resend's API, each under an idempotency key of its own, so that a second try sends no second mail. */
export function openResend(apiKey: string, baseUrl: string | null): Mailer {
  const resend = new Resend(apiKey, baseUrl === null ? {} : { baseUrl });
  return {
    async send({ id, messageId, from, to, subject, text, html }, signal) {
      const headers = { 'Message-ID': messageId, 'Auto-Submitted': 'auto-generated' };
      const options = { idempotencyKey: id, signal };
      const answer = await resend.emails.send({ from, to, subject, text, html, headers }, options);
      if (answer.error !== null) throw failureOf(answer.error, answer.headers);
    },
    async close() {},
  };
}

interface Refusal {
  readonly name: string;
  readonly statusCode: number | null;
}

/** Not the words of the answer, which may repeat the mail, and are logged. */
function failureOf({ name, statusCode }: Refusal, headers: Readonly<Record<string, string>> | null): Error {
  const what = `Resend: ${statusCode ?? 'no answer'}${/^\w{1,64}$/.test(name) ? ` ${name}` : ''}`;
  const patience = retryAfterSeconds(headers?.['retry-after'], new Date());
  if (patience !== null) return new MailDeferredError(what, patience);
  return isAboutTheMail(statusCode) ? new MailRefusedError(what) : new Error(what);
}

/**
 * Whether another try would be refused, too. Not when the key is (401, 403), which is for the operator to mend; nor when
 * the same mail is just being sent (409).
 */
function isAboutTheMail(statusCode: number | null): boolean {
  if (statusCode === null || statusCode < 400 || statusCode >= 500) return false;
  return ![401, 403, 408, 409, 425, 429].includes(statusCode);
}
