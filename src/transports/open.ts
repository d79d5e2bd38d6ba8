import type { Config } from '../config.ts';
import { mailbox } from './mailbox.ts';
import type { Mailer } from './mailer.ts';

type MailConfig = Pick<Config, 'mailTransport' | 'smtpUrl' | 'resendApiKey' | 'resendBaseUrl'>;

/** As MAIL_TRANSPORT says; only what that needs is loaded. Nothing is connected yet. */
export async function openMailer({ mailTransport, smtpUrl, resendApiKey, resendBaseUrl }: MailConfig): Promise<Mailer> {
  if (mailTransport === 'smtp' && smtpUrl !== null) {
    const { openSmtp } = await import('./smtp.ts');
    return openSmtp(smtpUrl);
  }
  if (mailTransport === 'resend' && resendApiKey !== null) {
    const { openResend } = await import('./resend.ts');
    return openResend(resendApiKey, resendBaseUrl);
  }
  return mailbox;
}
