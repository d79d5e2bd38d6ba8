import type { MailKind } from './mailer.ts';

/** What a mail says. `link` is there for the kinds that carry one. */
export interface Words {
  readonly subject: string;
  readonly text: string;
}

export interface MailFacts {
  /** Null where the receiver is not known to be the person: a stranger may have typed the name. */
  readonly firstName: string | null;
  /** Built from configuration only. */
  readonly link: string | null;
}

/**
 * The words of each mail. A name is data and stands in the greeting alone. Who opens a link makes the account, with the
 * password that somebody chose, one with a proven address; so each says what to do if that was somebody else.
 */
export const words: Record<MailKind, (facts: MailFacts) => Words> = {
  email_verification: ({ firstName, link }) => ({
    subject: 'Please confirm your e-mail address',
    text: `${hello(firstName)}\n\nsomebody asked for an account with this address. If it was you, open this link to confirm that the address is yours:\n\n${link}\n\nIf it was not you, leave the link alone: whoever asked has chosen the password. You need not do anything else.`,
  }),
  account_exists: ({ firstName }) => ({
    subject: 'You already have an account',
    text: `${hello(firstName)}\n\nsomebody, perhaps you, tried to register with this address. There is an account with it already, and nothing was changed: its password is the one it had before.\n\nIf you do not know that password, ask for a new one on the sign-in page. Do so, too, if you never had an account here: it makes the account yours alone.`,
  }),
  invitation: ({ link }) => ({
    subject: 'You are invited',
    text: `Hello,\n\nyou are invited to make an account here. Open this link to accept:\n\n${link}\n\nIf you do not expect this, leave the link alone. You need not do anything else.`,
  }),
  password_reset: ({ firstName, link }) => ({
    subject: 'Choose a new password',
    text: `${hello(firstName)}\n\nsomebody, perhaps you, asked for a new password for your account. Open this link to choose it:\n\n${link}\n\nIf it was not you, leave the link alone: your password is still the one it was.`,
  }),
  password_reset_done: ({ firstName }) => ({
    subject: 'You have a new password',
    text: `${hello(firstName)}\n\na new password was chosen for your account, with the link that we sent to this address, and you were signed out everywhere. If this was not you, ask for a new password at once, and change the password of your mailbox.`,
  }),
  session_reuse_detected: ({ firstName }) => ({
    subject: 'We ended one of your sessions',
    text: `${hello(firstName)}\n\na key of one of your sessions was used a second time. Perhaps somebody has copied it, so we ended the session. If you do not know why this happened, change your password.`,
  }),
  email_change_confirmation: ({ firstName, link }) => ({
    subject: 'Please confirm your new e-mail address',
    text: `${hello(firstName)}\n\nsomebody asked to use this address for an account of theirs. If it was you, open this link, and it is the address of your account from then on:\n\n${link}\n\nIf it was not you, leave the link alone. You need not do anything else.`,
  }),
  email_change_notice: ({ firstName }) => ({
    subject: 'Your e-mail address is about to change',
    text: `${hello(firstName)}\n\nsomebody signed in to your account asked to use another address for it. Nothing changes until the new address is confirmed. If this was not you, change your password at once.`,
  }),
  password_changed: ({ firstName }) => ({
    subject: 'Your password was changed',
    text: `${hello(firstName)}\n\nthe password of your account was changed, and you were signed out everywhere else. If this was not you, ask for a new password at once.`,
  }),
};

function hello(firstName: string | null): string {
  return firstName === null ? 'Hello,' : `Hello ${firstName},`;
}
