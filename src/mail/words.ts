import type { MailKind } from './mailer.ts';

/** What a mail says. `link` is there for the kinds that carry one. */
export interface Words {
  readonly subject: string;
  readonly text: string;
}

export interface MailFacts {
  readonly firstName: string;
  /** Built from configuration only. */
  readonly link: string | null;
}

/** The words of each mail. Names are data: they stand on a line of their own and nothing is made of them. */
export const words: Record<MailKind, (facts: MailFacts) => Words> = {
  email_verification: ({ firstName, link }) => ({
    subject: 'Please confirm your e-mail address',
    text: `Hello ${firstName},\n\nopen this link to confirm that this address is yours:\n\n${link}\n\nIf you asked for no account, there is nothing to do.`,
  }),
  account_exists: ({ firstName }) => ({
    subject: 'You already have an account',
    text: `Hello ${firstName},\n\nsomebody, perhaps you, tried to register with this address. There is an account with it already, and nothing was changed. If you forgot your password, ask for a new one on the sign-in page.`,
  }),
  email_change_confirmation: ({ firstName, link }) => ({
    subject: 'Please confirm your new e-mail address',
    text: `Hello ${firstName},\n\nopen this link to use this address for your account from now on:\n\n${link}\n\nIf you did not ask for this, there is nothing to do.`,
  }),
  email_change_notice: ({ firstName }) => ({
    subject: 'Your e-mail address is about to change',
    text: `Hello ${firstName},\n\nsomebody signed in to your account asked to use another address for it. Nothing changes until the new address is confirmed. If this was not you, change your password at once.`,
  }),
  password_changed: ({ firstName }) => ({
    subject: 'Your password was changed',
    text: `Hello ${firstName},\n\nthe password of your account was changed, and you were signed out everywhere else. If this was not you, ask for a new password at once.`,
  }),
};
