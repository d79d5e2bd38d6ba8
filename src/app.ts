import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import { loggingEvents } from './audit/log.ts';
import type { Config } from './config.ts';
import type { AccessTokenIssuer } from './crypto/access-token.ts';
import { type AccessTokenVerifier, createAccessTokenVerifier } from './crypto/access-token-verifier.ts';
import { makeDecoyHash } from './crypto/password-hash.ts';
import { deriveMacKey } from './crypto/secret-keys.ts';
import type { Database } from './database/client.ts';
import type { PrismaClient } from './database/generated/client.ts';
import type { Hooks } from './hooks.ts';
import { type Background, createBackground } from './jobs/background.ts';
import { openQueue, type Queue } from './jobs/queue.ts';
import { openSigningKeys, type SigningKeys } from './keys/service.ts';
import { type BatchedCount, createBatchedCount, openCount } from './limits/batched-count.ts';
import { createHashGate, type HashGate, hashConcurrency } from './limits/hash-gate.ts';
import { createThrottle, openThrottle, type Throttle } from './limits/throttle.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import { type IdentityProviders, openProviders } from './providers/providers.ts';
import { threadPoolSize } from './thread-pool.ts';
import type { Mailer } from './transports/mailer.ts';
import { openMailer } from './transports/open.ts';

/** What everything stands on. Made once, passed as the first argument, never changed. */
export interface App {
  readonly config: Config;
  readonly db: PrismaClient;
  readonly database: Database;
  readonly log: Logger;
  /** The one clock: every instant of accounts, sessions and tokens comes from here; only the throttle has its own. */
  readonly now: () => Date;
  /** Who signs access tokens, and for whom. */
  readonly issuer: AccessTokenIssuer;
  /** The keys that sign them. */
  readonly keys: SigningKeys;
  readonly verifyAccessToken: AccessTokenVerifier;
  /** Whose ID tokens sign people in. */
  readonly providers: IdentityProviders;
  readonly hashGate: HashGate;
  /** A hash of nothing anybody knows, with the parameters in force, for logins to accounts that do not exist. */
  readonly decoyHash: string;
  readonly loginThrottle: Throttle;
  readonly registrationThrottle: Throttle;
  readonly passwordResetThrottle: Throttle;
  readonly emailVerificationThrottle: Throttle;
  readonly emailChangeThrottle: Throttle;
  /** Counts one-time tokens that were not made here. */
  readonly tokenThrottle: Throttle;
  /** Counts refreshes, whatever becomes of them. */
  readonly refreshCount: BatchedCount;
  /** Counts what somebody sends out. */
  readonly invitationThrottle: Throttle;
  /** Null with METRICS=off. */
  readonly metrics: Metrics | null;
  /** What the operator's module exports. */
  readonly hooks: Hooks;
  readonly background: Background;
  /** Where jobs wait for a worker. */
  readonly queue: Queue;
  readonly mailer: Mailer;
  /** Ends what was opened here; the database stays open. */
  close(): Promise<void>;
}

const LOGIN_LIMIT = { name: 'login', failures: 20, windowSeconds: 15 * 60 };
const REGISTRATION_LIMIT = { name: 'registration', failures: 20, windowSeconds: 60 * 60 };
const PASSWORD_RESET_LIMIT = { name: 'password_reset', failures: 20, windowSeconds: 60 * 60 };
const EMAIL_VERIFICATION_LIMIT = { name: 'email_verification', failures: 20, windowSeconds: 60 * 60 };
const EMAIL_CHANGE_LIMIT = { name: 'email_change', failures: 20, windowSeconds: 60 * 60 };
const TOKEN_LIMIT = { name: 'token', failures: 20, windowSeconds: 60 * 60 };
const INVITATION_LIMIT = { name: 'invitation', failures: 500, windowSeconds: 60 * 60 };
/** For an office of a thousand behind one address, each of whom opens a page every two and a half minutes. */
const REFRESH_LIMIT = { name: 'refresh', failures: 6000, windowSeconds: 15 * 60 };
const REFRESHES_A_STATEMENT = 100;
const HASHES_WAITING_PER_CORE = 64;

export interface AppParts {
  readonly config: Config;
  readonly database: Database;
  readonly log: Logger;
  readonly now: () => Date;
  /** The service's own base: PUBLIC_URL, or its default once the port is bound. */
  readonly publicUrl: string;
  /** Absent: none, as for the operator's commands. */
  readonly hooks?: Hooks;
}

/** The database has every migration when this is called. What is returned is closed before the database is. */
export async function createApp({ config, database: opened, log, now, publicUrl, hooks = {} }: AppParts): Promise<App> {
  const database = { ...opened, prisma: loggingEvents(opened.prisma, log) };
  const keys = await openSigningKeys(database, config.secretKeys, now);
  const [firstAudience = publicUrl, ...otherAudiences] = config.tokenAudiences ?? [];
  const issuer: AccessTokenIssuer = { url: publicUrl, audiences: [firstAudience, ...otherAudiences] };
  const queue = await openQueue(database, log);
  const mailer = await openMailer(config);
  const concurrency = hashConcurrency(Math.ceil(availableParallelism() / config.workers), threadPoolSize);
  const hashGate = createHashGate({ concurrency, maxQueued: concurrency * HASHES_WAITING_PER_CORE });
  const countJobs = async () => ({ ...(await queue.count()) });
  const metrics = config.metrics ? createMetrics({ pool: database.pool, hashGate, countJobs }) : null;
  return {
    config,
    db: database.prisma,
    database,
    log,
    now,
    issuer,
    keys,
    verifyAccessToken: createAccessTokenVerifier(issuer, keys),
    providers: openProviders(config.oauthProviders, { now, log }),
    hashGate,
    decoyHash: makeDecoyHash(config.argon2),
    loginThrottle: throttle(LOGIN_LIMIT),
    registrationThrottle: throttle(REGISTRATION_LIMIT),
    passwordResetThrottle: throttle(PASSWORD_RESET_LIMIT),
    emailVerificationThrottle: throttle(EMAIL_VERIFICATION_LIMIT),
    emailChangeThrottle: throttle(EMAIL_CHANGE_LIMIT),
    tokenThrottle: throttle(TOKEN_LIMIT),
    refreshCount: config.rateLimiting
      ? createBatchedCount({
          throttle: throttle(REFRESH_LIMIT),
          batch: REFRESHES_A_STATEMENT,
          onRefusal: () => metrics?.limited.inc({ limit: REFRESH_LIMIT.name }),
        })
      : openCount,
    invitationThrottle: throttle(INVITATION_LIMIT),
    metrics,
    hooks,
    background: createBackground(log),
    queue,
    mailer,
    async close() {
      await Promise.all([queue.close(), mailer.close()]);
    },
  };

  function throttle(limit: typeof LOGIN_LIMIT): Throttle {
    if (!config.rateLimiting) return openThrottle;
    return createThrottle({
      ...limit,
      pool: database.pool,
      digestKey: deriveMacKey(config.secretKeys[0], 'throttle'),
      onRefusal: () => metrics?.limited.inc({ limit: limit.name }),
    });
  }
}
