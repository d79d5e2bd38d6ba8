import type { SecretKeys } from '../crypto/secret-keys.ts';
import { generateSigningKey, openSigningKey, type SigningKey } from '../crypto/signing-keys.ts';
import type { Database } from '../database/client.ts';
import type { Prisma, SigningKey as SigningKeyRow } from '../database/generated/client.ts';

/** The keys of this database, opened. The newest one signs; all of them verify and are published. */
export interface SigningKeys {
  readonly current: SigningKey;
  readonly all: readonly SigningKey[];
  find(id: string): SigningKey | undefined;
}

/**
 * Every signing key of the database, private parts opened with `secretKeys`. A database without one gets its first:
 * the table is locked for it, so that several instances starting at once agree on the same key.
 *
 * @throws SigningKeySealedError when `secretKeys` does not hold the secret that the keys were sealed with
 */
export async function openSigningKeys(database: Database, secretKeys: SecretKeys, now: Date): Promise<SigningKeys> {
  const records = await ensureFirstKey(database, secretKeys, now);
  const [current, ...older] = await Promise.all(records.map((record) => openSigningKey(secretKeys, record)));
  if (current === undefined) throw new Error('a signing key was made, but none is there');
  const all = [current, ...older];
  const byId = new Map(all.map((key) => [key.id, key]));
  return { current, all, find: (id) => byId.get(id) };
}

/** Newest first. */
async function ensureFirstKey(
  { prisma }: Database,
  secretKeys: SecretKeys,
  now: Date,
): Promise<readonly SigningKeyRow[]> {
  const newestFirst = { orderBy: [{ createdAt: 'desc' }, { id: 'asc' }] } satisfies Prisma.SigningKeyFindManyArgs;
  const existing = await prisma.signingKey.findMany(newestFirst);
  if (existing.length > 0) return existing;
  const first = await generateSigningKey(secretKeys, now);
  return prisma.$transaction(async (transaction) => {
    await transaction.$executeRaw`LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE`;
    if ((await transaction.signingKey.count()) === 0) await transaction.signingKey.create({ data: first });
    return transaction.signingKey.findMany(newestFirst);
  });
}
