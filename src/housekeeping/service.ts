import type { App } from '../app.ts';
import { Prisma } from '../database/generated/client.ts';

/** How many rows of a kind are gone, or closed. */
export interface Chore {
  readonly of: 'sessions' | 'mails' | 'one-time tokens' | 'used ID tokens' | 'limits' | 'audit events' | 'invitations';
  readonly rows: number;
}

export interface Housekept {
  readonly chores: readonly Chore[];
  /** Whether nothing is left to do. */
  readonly isDone: boolean;
}

const BATCH_ROWS = 1000;
const HOUR_MILLISECONDS = 3_600_000;
const DAY_MILLISECONDS = 24 * HOUR_MILLISECONDS;
/** Far longer than anybody asks for them: the revocation feed for a day at most, the limit of mails for an hour. */
const KEPT_DAYS = 30;

/**
 * What has ended long ago is gone: sessions and mails, one-time tokens and what counts attempts, audit events older than
 * AUDIT_RETENTION_DAYS; and invitations that have expired are closed. Nothing becomes good by it: a token without its row
 * is refused like one that never was.
 *
 * In statements of at most 1,000 rows, each its own transaction, that wait for nobody and leave alone what another one is
 * working on: so it may be cut off anywhere, and may run twice at once. It ends between two statements when the signal
 * aborts.
 */
export async function housekeep(app: App, signal: AbortSignal | null = null): Promise<Housekept> {
  const chores: Chore[] = [];
  for (const { of, batch } of choresOf(app)) {
    let rows = 0;
    let changed = BATCH_ROWS;
    while (changed === BATCH_ROWS) {
      if (signal?.aborted) return { chores: [...chores, { of, rows }], isDone: false };
      changed = await app.db.$executeRaw(batch);
      rows += changed;
    }
    chores.push({ of, rows });
  }
  return { chores, isDone: true };
}

interface ChoreToDo {
  readonly of: Chore['of'];
  readonly batch: Prisma.Sql;
}

/** Mails before one-time tokens, which would take theirs with them. */
function choresOf({ config, now }: App): readonly ChoreToDo[] {
  const at = now();
  const longAgo = daysBefore(at, KEPT_DAYS);
  const { auditRetentionDays } = config;
  return [
    { of: 'sessions', batch: deletion('sessions', 'id', 'revoked_at', Prisma.sql`revoked_at <= ${longAgo}`) },
    // Not by their idle ends, which every refresh moves, and would have to move in an index as well.
    {
      of: 'sessions',
      batch: deletion('sessions', 'id', 'absolute_expires_at', Prisma.sql`absolute_expires_at <= ${longAgo}`),
    },
    {
      of: 'mails',
      batch: deletion(
        'mails',
        'id',
        'created_at',
        Prisma.sql`created_at <= ${longAgo} AND (sent_at IS NOT NULL OR abandoned_at IS NOT NULL)`,
      ),
    },
    {
      of: 'one-time tokens',
      batch: deletion('one_time_tokens', 'id', 'expires_at', Prisma.sql`expires_at <= ${longAgo}`),
    },
    {
      of: 'used ID tokens',
      batch: deletion('used_id_tokens', 'digest', 'expires_at', Prisma.sql`expires_at <= ${at}`),
    },
    { of: 'limits', batch: deletion('rate_limits', 'key', 'expire', Prisma.sql`expire <= ${limitsOver()}`) },
    ...(auditRetentionDays === 0
      ? []
      : [{ of: 'audit events' as const, batch: deletionOfEvents(daysBefore(at, auditRetentionDays)) }]),
    { of: 'invitations', batch: closing(at) },
  ];
}

function daysBefore(at: Date, days: number): Date {
  return new Date(at.getTime() - days * DAY_MILLISECONDS);
}

/** By the throttle's own clock, which is not the application's; with room for that of another instance. */
function limitsOver(): bigint {
  return BigInt(Date.now() - HOUR_MILLISECONDS);
}

function deletionOfEvents(before: Date): Prisma.Sql {
  return deletion('audit_events', 'id', 'at', Prisma.sql`at <= ${before}`);
}

type Table = 'sessions' | 'mails' | 'one_time_tokens' | 'used_id_tokens' | 'rate_limits' | 'audit_events';

/** The oldest first, along an index that begins with `order`. */
function deletion(table: Table, key: 'id' | 'digest' | 'key', order: string, condition: Prisma.Sql): Prisma.Sql {
  const [name, id, by] = [Prisma.raw(table), Prisma.raw(key), Prisma.raw(order)];
  return Prisma.sql`
    DELETE FROM ${name} WHERE ${id} = ANY(ARRAY(
      SELECT ${id} FROM ${name} WHERE ${condition} ORDER BY ${by} LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED))`;
}

/** As inviting the same address again would. */
function closing(at: Date): Prisma.Sql {
  return Prisma.sql`
    UPDATE invitations SET closed_at = ${at} WHERE id = ANY(ARRAY(
      SELECT id FROM invitations WHERE closed_at IS NULL AND expires_at <= ${at}
      ORDER BY expires_at LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED))`;
}
