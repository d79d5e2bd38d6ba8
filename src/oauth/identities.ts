import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import type { Identity, Prisma, User } from '../database/generated/client.ts';
import type { Presented } from './check-id-token.ts';

interface NewIdentity extends Presented {
  readonly user: Pick<User, 'id' | 'email'>;
  readonly client: Client;
}

/**
 * The identity is this user's, on record. The caller has locked the user's row, or made it, in the same transaction.
 *
 * @returns null, and nothing has changed, when somebody has it already
 */
export async function insertIdentity(
  app: App,
  transaction: Prisma.TransactionClient,
  { provider, token, user, client }: NewIdentity,
): Promise<Identity | null> {
  const now = app.now();
  const { issuer } = provider;
  const { subject } = token;
  const [identity] = await transaction.identity.createManyAndReturn({
    data: [{ id: newId(), userId: user.id, issuer, subject, createdAt: now, lastUsedAt: now }],
    skipDuplicates: true,
  });
  if (identity === undefined) return null;
  await recordEvent(transaction, {
    type: 'identity.linked',
    at: now,
    actorId: user.id,
    subjectId: user.id,
    email: user.email,
    client,
    data: { identityId: identity.id, provider: provider.name },
  });
  return identity;
}

interface IdentitiesToDelete {
  readonly user: Pick<User, 'id' | 'email'>;
  readonly client: Client;
  /** The one to delete; absent: all of the user's. */
  readonly id?: string;
  /** The one to leave alone. */
  readonly except?: Pick<Identity, 'issuer' | 'subject'>;
}

/** These identities sign nobody in any more, on record. The caller has locked the user's row in the same transaction. */
export async function deleteIdentities(
  app: App,
  transaction: Prisma.TransactionClient,
  { user, client, id, except }: IdentitiesToDelete,
): Promise<void> {
  const where = { userId: user.id, ...(id !== undefined && { id }), ...(except && { NOT: except }) };
  const identities = await transaction.identity.findMany({ where });
  await transaction.identity.deleteMany({ where });
  for (const identity of identities) {
    await recordEvent(transaction, {
      type: 'identity.unlinked',
      at: app.now(),
      actorId: user.id,
      subjectId: user.id,
      email: user.email,
      client,
      data: { identityId: identity.id, issuer: identity.issuer },
    });
  }
}
