import { recordEvent } from '../audit/service.ts';
import type { SecretKeys } from '../crypto/secret-keys.ts';
import { generateSigningKey, resealSigningKey } from '../crypto/signing-keys.ts';
import type { Database, Transaction } from '../database/client.ts';
import type { SigningKey } from '../database/generated/client.ts';

/** What deciding about keys needs to know. */
export interface KeyPolicy {
  readonly secretKeys: SecretKeys;
  /** How long the last token lives that a key signs. */
  readonly accessTokenTtlSeconds: number;
}

/**
 * How long before it signs a key is there. Every instance publishes it within a minute and verifiers keep a set of keys
 * for five, so nobody meets a token before its key: ten minutes at least stay.
 */
export const PUBLISHED_AHEAD_SECONDS = 15 * 60;

/** Instances keep within a second of each other; one that is behind signs with the old key a little longer. */
const RETIREMENT_MARGIN_SECONDS = 60;

/** Nobody did it but the service itself, or whoever runs its commands. */
const nobody = { ipAddress: null, userAgent: null, requestId: null };

/**
 * The keys, in the order in which they sign; a database without one gets its first. The table is locked for it, so that
 * several instances starting at once agree on the same key.
 */
export async function ensureFirstKey(
  { prisma }: Database,
  secretKeys: SecretKeys,
  now: Date,
): Promise<readonly SigningKey[]> {
  const existing = await inOrder(prisma);
  if (existing.length > 0) return existing;
  const first = { ...(await generateSigningKey(secretKeys, now)), activeFrom: now };
  return prisma.$transaction(async (transaction) => {
    await lock(transaction);
    if ((await transaction.signingKey.count()) === 0) await transaction.signingKey.create({ data: first });
    return inOrder(transaction);
  });
}

/**
 * There is a key that will follow the current one, on record: published now, signing after `PUBLISHED_AHEAD_SECONDS`; the
 * one before it retires when its last token has expired. Asked again before that, it is the same key, also when two ask
 * at once.
 *
 * @param isDue asked again under the lock, of the newest key; for a schedule that several instances keep
 */
export async function rotateSigningKeys(
  database: Database,
  { secretKeys, accessTokenTtlSeconds }: KeyPolicy,
  now: Date,
  isDue: (newest: SigningKey) => boolean = () => true,
): Promise<SigningKey> {
  const generated = await generateSigningKey(secretKeys, now);
  return database.prisma.$transaction(async (transaction) => {
    await lock(transaction);
    const newest = (await inOrder(transaction)).at(-1);
    if (newest === undefined) throw new Error('there is no signing key to follow');
    if (newest.activeFrom > now || !isDue(newest)) return newest;
    const activeFrom = after(now, PUBLISHED_AHEAD_SECONDS);
    await transaction.signingKey.update({
      where: { id: newest.id },
      data: { retiresAt: after(activeFrom, accessTokenTtlSeconds + RETIREMENT_MARGIN_SECONDS) },
    });
    return add(transaction, { ...generated, activeFrom });
  });
}

/**
 * A new key signs from now on, on record, and no other verifies any more: for when a key may have leaked. Every access
 * token is refused as soon as an instance knows, within a minute; sessions stay, and the next refresh gives a good token.
 */
export async function replaceSigningKeys(
  database: Database,
  { secretKeys }: Pick<KeyPolicy, 'secretKeys'>,
  now: Date,
): Promise<SigningKey> {
  const generated = await generateSigningKey(secretKeys, now);
  return database.prisma.$transaction(async (transaction) => {
    await lock(transaction);
    await transaction.signingKey.deleteMany();
    return add(transaction, { ...generated, activeFrom: now });
  });
}

/** The keys whose last token has expired are gone. */
export async function deleteRetiredKeys({ prisma }: Database, now: Date): Promise<void> {
  await prisma.signingKey.deleteMany({ where: { retiresAt: { lt: now } } });
}

/** Every key is sealed with the first secret of the list, so that the others can be taken off it. */
export async function resealSigningKeys({ prisma }: Database, secretKeys: SecretKeys): Promise<void> {
  for (const { id, encryptedPrivateJwk } of await inOrder(prisma)) {
    const resealed = resealSigningKey(secretKeys, { id, encryptedPrivateJwk });
    if (resealed === null) continue;
    await prisma.signingKey.updateMany({ where: { id, encryptedPrivateJwk }, data: { encryptedPrivateJwk: resealed } });
  }
}

/** Nobody else makes a key until the transaction ends; reading goes on. */
async function lock(transaction: Transaction): Promise<void> {
  await transaction.$executeRaw`LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE`;
}

function inOrder(client: Pick<Transaction, 'signingKey'>): Promise<SigningKey[]> {
  return client.signingKey.findMany({ orderBy: [{ activeFrom: 'asc' }, { id: 'asc' }] });
}

type NewKey = Awaited<ReturnType<typeof generateSigningKey>> & { readonly activeFrom: Date };

async function add(transaction: Transaction, key: NewKey): Promise<SigningKey> {
  await recordEvent(transaction, {
    type: 'signing_key.created',
    at: key.createdAt,
    actorId: null,
    subjectId: null,
    email: null,
    client: nobody,
    data: { kid: key.id, activeFrom: key.activeFrom.toISOString() },
  });
  return transaction.signingKey.create({ data: key });
}

function after(instant: Date, seconds: number): Date {
  return new Date(instant.getTime() + seconds * 1000);
}
