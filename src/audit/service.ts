import { v7 as newId } from 'uuid';
import type { Prisma } from '../database/generated/client.ts';
import { logOnceOnRecord } from './log.ts';

/** What is put on record. Names are stable: they are part of the API. */
export type AuditEventType =
  | 'login.succeeded'
  | 'login.failed'
  | 'session.revoked'
  | 'session.reuse_detected'
  | 'user.created'
  | 'user.updated'
  | 'user.activated'
  | 'user.revoked'
  | 'user.deleted'
  | 'user.registered'
  | 'registration.refused'
  | 'invitation.created'
  | 'invitation.resent'
  | 'invitation.revoked'
  | 'invitation.deleted'
  | 'invitation.accepted'
  | 'user.imported'
  | 'email.verified'
  | 'email.change_requested'
  | 'email.changed'
  | 'password.changed'
  | 'password.reset'
  | 'password.refused'
  | 'identity.linked'
  | 'identity.unlinked'
  | 'identity.refused'
  | 'role.created'
  | 'role.updated'
  | 'role.deleted'
  | 'role.assigned'
  | 'role.revoked'
  | 'signing_key.created'
  | 'database.restored';

/** Where a request came from, as far as it can be believed. */
export interface Client {
  /** The client's address; null when there is no connection behind it (the command line, a job). */
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
  /** Of the request, under which the log has what else is known of it; null when there was none. */
  readonly requestId: string | null;
}

export interface AuditEventInput {
  readonly type: AuditEventType;
  readonly at: Date;
  /** Who did it; null for nobody known. */
  readonly actorId: string | null;
  /** Whom it happened to; null for nobody known. */
  readonly subjectId: string | null;
  /** The canonical address that was acted on. */
  readonly email: string | null;
  readonly client: Client;
  /** Never a secret. */
  readonly data?: Prisma.InputJsonObject;
}

/** The event is on record, and then in the log, if, and only if, the caller's transaction commits. One statement. */
export async function recordEvent(transaction: Prisma.TransactionClient, event: AuditEventInput): Promise<void> {
  const id = newId();
  await transaction.auditEvent.create({
    select: { id: true },
    data: {
      id,
      type: event.type,
      at: event.at,
      actorId: event.actorId,
      subjectId: event.subjectId,
      email: event.email,
      ipAddress: event.client.ipAddress,
      userAgent: event.client.userAgent,
      requestId: event.client.requestId,
      data: event.data ?? {},
    },
  });
  logOnceOnRecord(transaction, { id, ...event });
}
