import type { Logger } from 'pino';
import type { Database } from '../database/client.ts';
import { deleteRetiredKeys, type KeyPolicy, PUBLISHED_AHEAD_SECONDS, rotateSigningKeys } from './rotate.ts';
import type { SigningKeys } from './service.ts';

const EVERY_MILLISECONDS = 60_000;
const DAY_MILLISECONDS = 86_400_000;

interface Upkeep extends KeyPolicy {
  readonly database: Database;
  readonly keys: SigningKeys;
  /** How long a key signs; 0: until the operator says otherwise. */
  readonly rotationDays: number;
  readonly now: () => Date;
}

/** The part of an app that its keys need. */
interface KeysOfApp {
  readonly database: Database;
  readonly keys: SigningKeys;
  readonly now: () => Date;
  readonly config: KeyPolicy & { readonly keyRotationDays: number };
}

export function keyUpkeepOf({ database, keys, now, config }: KeysOfApp): Upkeep {
  const { secretKeys, accessTokenTtlSeconds, keyRotationDays: rotationDays } = config;
  return { database, keys, now, secretKeys, accessTokenTtlSeconds, rotationDays };
}

/**
 * Once a minute what other instances did to the keys is known here, and what the schedule asks for is done.
 *
 * @returns ends it; resolves when what was going on is done
 */
export function startKeyUpkeep(upkeep: Upkeep, log: Logger): () => Promise<void> {
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = keepKeys(upkeep).catch((error: unknown) => log.error({ err: error }, 'the signing keys cannot be kept'));
  }, EVERY_MILLISECONDS).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** The keys are as the database has them, a next one is there when it is time for it, and none is left that has retired. */
export async function keepKeys({ database, keys, rotationDays, now, ...policy }: Upkeep): Promise<void> {
  const isDue = (activeFrom: Date) =>
    rotationDays > 0 &&
    activeFrom.getTime() + rotationDays * DAY_MILLISECONDS <= now().getTime() + PUBLISHED_AHEAD_SECONDS * 1000;
  await keys.reload();
  if (isDue(keys.newestActiveFrom())) {
    await rotateSigningKeys(database, policy, now(), (newest) => isDue(newest.activeFrom));
  }
  await deleteRetiredKeys(database, now());
  await keys.reload();
}
