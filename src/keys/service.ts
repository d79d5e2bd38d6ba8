import type { SecretKeys } from '../crypto/secret-keys.ts';
import { openSigningKey, type SigningKey } from '../crypto/signing-keys.ts';
import type { Database } from '../database/client.ts';
import type { SigningKey as SigningKeyRow } from '../database/generated/client.ts';
import { ensureFirstKey, resealSigningKeys } from './rotate.ts';

/** The keys of this database, opened, as they were when they were last read. */
export interface SigningKeys {
  /** The one that signs at this instant. */
  current(now: Date): SigningKey;
  /** From when on the newest one signs. */
  newestActiveFrom(): Date;
  /** All that verify: the next one, the current one, and those whose tokens may still be alive. */
  published(now: Date): readonly SigningKey[];
  /** One of those. */
  find(id: string, now: Date): SigningKey | undefined;
  /** The same; a key that is not known may have been made meanwhile, so the database is asked, at most once a second. */
  findFresh(id: string, now: Date): Promise<SigningKey | undefined>;
  /** What the database holds now is known from here on. Whoever asks while another does gets the same answer. */
  reload(): Promise<void>;
}

/** A key with the instants between which it signs and is published. */
interface TimedKey {
  readonly key: SigningKey;
  readonly activeFrom: Date;
  readonly retiresAt: Date | null;
}

const FRESH_FOR_MILLISECONDS = 1000;

/**
 * Every signing key of the database, private parts opened with `secretKeys` and sealed with the first of those. A
 * database without a key gets its first.
 *
 * @throws SigningKeySealedError when `secretKeys` does not hold the secret that the keys were sealed with
 */
export async function openSigningKeys(
  database: Database,
  secretKeys: SecretKeys,
  now: () => Date,
): Promise<SigningKeys> {
  let keys = await openAll(secretKeys, await ensureFirstKey(database, secretKeys, now()), []);
  await resealSigningKeys(database, secretKeys);
  let readAt = now();
  let reading: Promise<void> | null = null;
  return { current, newestActiveFrom, published, find, findFresh, reload };

  function current(at: Date): SigningKey {
    const [oldest] = keys;
    if (oldest === undefined) throw new Error('there is no signing key');
    return (keys.findLast(({ activeFrom }) => activeFrom <= at) ?? oldest).key;
  }

  function newestActiveFrom(): Date {
    return keys.at(-1)?.activeFrom ?? readAt;
  }

  function published(at: Date): readonly SigningKey[] {
    return keys.filter((each) => isAlive(each, at)).map(({ key }) => key);
  }

  function find(id: string, at: Date): SigningKey | undefined {
    return keys.find((each) => each.key.id === id && isAlive(each, at))?.key;
  }

  async function findFresh(id: string, at: Date): Promise<SigningKey | undefined> {
    const isFresh = Math.abs(now().getTime() - readAt.getTime()) < FRESH_FOR_MILLISECONDS;
    if (find(id, at) === undefined && !isFresh) await reload();
    return find(id, at);
  }

  function reload(): Promise<void> {
    reading ??= readAgain().finally(() => {
      reading = null;
    });
    return reading;
  }

  async function readAgain(): Promise<void> {
    readAt = now();
    const rows = await database.prisma.signingKey.findMany({ orderBy: [{ activeFrom: 'asc' }, { id: 'asc' }] });
    if (rows.length > 0) keys = await openAll(secretKeys, rows, keys);
  }
}

function isAlive({ retiresAt }: TimedKey, now: Date): boolean {
  return retiresAt === null || now < retiresAt;
}

/** In the order in which they sign. What is open already is not opened again. */
function openAll(
  secretKeys: SecretKeys,
  rows: readonly SigningKeyRow[],
  open: readonly TimedKey[],
): Promise<readonly TimedKey[]> {
  return Promise.all(
    rows.map(async (row) => ({
      key: open.find(({ key }) => key.id === row.id)?.key ?? (await openSigningKey(secretKeys, row)),
      activeFrom: row.activeFrom,
      retiresAt: row.retiresAt,
    })),
  );
}
