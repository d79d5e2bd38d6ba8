import { v7 as newId } from 'uuid';
import type { User } from '../../src/database/generated/client.ts';
import type { MailKind } from '../../src/mail/kinds.ts';
import { queueMail } from '../../src/mail/mailer.ts';
import { instantIn, issueOneTimeToken } from '../../src/tokens/service.ts';
import { mailsTo, type ReceivedMail } from '../mailbox/reading.ts';
import type { TestService } from '../support/service.ts';

interface Invited {
  readonly firstName?: string;
  readonly lastName?: string;
  readonly remark?: string;
  readonly locale?: string;
  readonly invitedById?: string;
  readonly days?: number;
}

/** Owes somebody without an account an invitation, good for seven days, and reads its mail. */
export async function mailInvitation(
  service: TestService,
  { days = 7, ...invited }: Invited = {},
): Promise<ReceivedMail> {
  const { app } = service;
  const email = `${newId()}@latchkey.test`;
  const now = app.now();
  const expiresAt = instantIn(app, days * 86_400);
  await app.db.$transaction(async (transaction) => {
    const { id: invitationId } = await transaction.invitation.create({
      data: {
        firstName: 'Sofja',
        lastName: 'Kowalewskaja',
        ...invited,
        email,
        expiresAt,
        createdAt: now,
        updatedAt: now,
      },
    });
    const owner = { purpose: 'INVITATION', invitationId } as const;
    const tokenId = await issueOneTimeToken(app, transaction, owner, { email, expiresAt });
    await queueMail(app, transaction, { kind: 'invitation', recipient: email, invitationId, tokenId });
  });
  return newestTo(service, email);
}

const linkOfKind = {
  email_verification: { purpose: 'EMAIL_VERIFICATION', seconds: 86_400 },
  email_change_confirmation: { purpose: 'EMAIL_CHANGE', seconds: 86_400 },
  password_reset: { purpose: 'PASSWORD_RESET', seconds: 7200 },
} as const;

/** Owes a user a mail of this kind, with its link if it is of those that have one, and reads it. */
export async function mailUser(
  service: TestService,
  { id: userId, email }: Pick<User, 'id' | 'email'>,
  kind: Exclude<MailKind, 'invitation'>,
): Promise<ReceivedMail> {
  const { app } = service;
  await app.db.$transaction(async (transaction) => {
    const mail = { kind, recipient: email, userId };
    if (!hasLink(kind)) return queueMail(app, transaction, mail);
    const { purpose, seconds } = linkOfKind[kind];
    const expiresAt = instantIn(app, seconds);
    const tokenId = await issueOneTimeToken(app, transaction, { purpose, userId }, { email, expiresAt });
    return queueMail(app, transaction, { ...mail, tokenId });
  });
  return newestTo(service, email);
}

function hasLink(kind: MailKind): kind is keyof typeof linkOfKind {
  return kind in linkOfKind;
}

async function newestTo(service: TestService, email: string): Promise<ReceivedMail> {
  const [mail] = await mailsTo(service, email);
  if (mail === undefined) throw new Error(`no mail to ${email}`);
  return mail;
}
