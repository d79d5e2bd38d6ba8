import { mailbox } from './mailbox.ts';
import type { Mailer } from './mailer.ts';

/** As MAIL_TRANSPORT says. Nothing is connected yet. */
export function openMailer(): Mailer {
  return mailbox;
}
