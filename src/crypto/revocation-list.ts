import { SignJWT } from 'jose';

import type { SigningKey } from './signing-keys.ts';

/** A part of the list of what was revoked, as those who verify access tokens offline get it. */
export interface RevocationList {
  readonly issuer: string;
  readonly issuedAt: Date;
  /** What was asked with; null for the beginning. */
  readonly after: string | null;
  /** What to ask with for what comes after this part. */
  readonly cursor: string;
  /** Whether there is more at once. */
  readonly more: boolean;
  /** How long after `revokedAt` an access token may still be alive, so how long each entry has to be kept. */
  readonly keepSeconds: number;
  /** Whose tokens are good no more, whenever they were issued. */
  readonly sessions: readonly { readonly id: string; readonly revokedAt: Date }[];
  readonly users: readonly { readonly id: string; readonly revokedAt: Date }[];
}

const TYPE = 'revocations+jwt';

// Long enough for clocks apart and caches in between, short enough that an old list, in which something is missing, cannot
// be passed off as new.
const LIFETIME_SECONDS = 60;

/**
 * The list as a JWT of a type of its own and without an audience, so that no verifier takes it for an access token.
 *
 * @see RFC 8725 §3.11
 */
export function signRevocationList(key: SigningKey, list: RevocationList): Promise<string> {
  const issuedAt = secondsOf(list.issuedAt);
  return new SignJWT({
    after: list.after,
    cursor: list.cursor,
    more: list.more,
    keep_seconds: list.keepSeconds,
    sessions: list.sessions.map(({ id, revokedAt }) => ({ sid: id, at: secondsOf(revokedAt) })),
    users: list.users.map(({ id, revokedAt }) => ({ sub: id, at: secondsOf(revokedAt) })),
  })
    .setProtectedHeader({ typ: TYPE, alg: key.algorithm, kid: key.id })
    .setIssuer(list.issuer)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFETIME_SECONDS)
    .sign(key.privateKey);
}

function secondsOf(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}
