/** Every mail there is. Their words are in mail/languages/. */
export const MAIL_KINDS = [
  'email_verification',
  'account_exists',
  'invitation',
  'password_reset',
  'password_reset_done',
  'password_changed',
  'email_change_confirmation',
  'email_change_notice',
  'session_reuse_detected',
  'identity_linked',
  'identity_unlinked',
  'address_proven',
] as const;

export type MailKind = (typeof MAIL_KINDS)[number];

/** Those that carry the link of a one-time token. */
export const LINK_MAIL_KINDS = [
  'email_verification',
  'invitation',
  'password_reset',
  'email_change_confirmation',
] as const satisfies readonly MailKind[];

export function isMailKind(text: string): text is MailKind {
  return MAIL_KINDS.some((kind) => kind === text);
}

export function carriesLink(kind: MailKind): boolean {
  return LINK_MAIL_KINDS.some((linkKind) => linkKind === kind);
}
