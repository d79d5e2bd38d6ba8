import type { App } from '../app.ts';
import { type AuditEventType, type Client, recordEvent } from '../audit/service.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { Invitation, Prisma } from '../database/generated/client.ts';

/** Puts on record what the viewer has done with an invitation. Nobody is its subject: there is no user yet. */
export function recordInvitation(
  app: App,
  transaction: Prisma.TransactionClient,
  viewer: Viewer,
  client: Client,
  type: AuditEventType,
  { id, email }: Pick<Invitation, 'id' | 'email'>,
  data: Prisma.InputJsonObject = {},
): Promise<void> {
  return recordEvent(transaction, {
    type,
    at: app.now(),
    actorId: viewer.user.id,
    subjectId: null,
    email,
    client,
    data: { invitationId: id, ...data },
  });
}
