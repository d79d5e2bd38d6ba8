import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { endSessions } from '../sessions/end.ts';
import { revokeUserTokens } from '../tokens/service.ts';
import type { Presented } from './check-id-token.ts';
import { deleteIdentities } from './identities.ts';
import { namesOf } from './names.ts';

interface ProvenUser extends Presented {
  readonly user: User;
  readonly client: Client;
}

/**
 * The address of the account is proven by its owner, and what anybody had of it before is gone: the password, the
 * sessions, the open links, identities other than the one that proves it, and the name, which mails greet by from now
 * on. Whoever made the account may have been a stranger who waited for its owner. All of it is on record.
 *
 * The caller has locked the user's row in the same transaction.
 *
 * @see OWASP ASVS 5.0 V6.4; "Pre-hijacked accounts", USENIX Security 2022
 */
export async function proveAddress(
  app: App,
  transaction: Prisma.TransactionClient,
  { user, provider, token, client }: ProvenUser,
): Promise<User> {
  const now = app.now();
  const { id, email } = user;
  await endSessions(app, transaction, client, { userId: id, actorId: id, reason: 'address_proven' });
  await revokeUserTokens(app, transaction, id);
  const except = { issuer: provider.issuer, subject: token.subject };
  await deleteIdentities(app, transaction, { user, client, except });
  await recordEvent(transaction, {
    type: 'email.verified',
    at: now,
    actorId: id,
    subjectId: id,
    email,
    client,
    data: { provider: provider.name, passwordRemoved: user.passwordHash !== null },
  });
  return transaction.user.update({
    where: { id },
    data: { ...namesOf(token, email), emailVerified: true, passwordHash: null, updatedAt: now },
  });
}
