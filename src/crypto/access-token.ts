import type { KeyObject } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { validate as isUuid } from 'uuid';

import { signJwt } from './compact-jws.ts';
import type { SigningKey } from './signing-keys.ts';

export interface AccessTokenIssuer {
  readonly url: string;
  readonly audiences: readonly [string, ...string[]];
}

export interface AccessToken {
  readonly id: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly clientId: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** Whom a genuine access token speaks for. What they may do is read from the database, not from the token. */
export interface VerifiedAccessToken {
  readonly userId: string;
  readonly sessionId: string;
  readonly tokenId: string;
  /** The key that signed it. */
  readonly keyId: string;
  readonly expiresAt: Date;
}

export type FindSigningKey = (kid: string, now: Date) => SigningKey | undefined | Promise<SigningKey | undefined>;

const type = 'at+jwt';

// Node reads no header section beyond 16 KiB, so nothing longer comes from a client that was given it here.
const maximalCharacters = 16_384;

const compactJwsPattern = /^[\w-]+\.[\w-]+\.[\w-]+$/;

// Instances keep within one second of each other, so a token may come back that was issued a second ahead of this clock.
// Its end gets no such grace: a token refused a second early is refreshed, one honoured late outlives what was promised.
const issuedAtToleranceSeconds = 1;

// Proxies and services commonly read 8 KiB of headers, and a token beyond that could not be used. With this much of roles
// and the longest audiences that the configuration takes, all of it stays below.
const maximalRolesBytes = 4096;

/**
 * A signed JWT access token of less than 8 KiB; its instants are whole seconds, rounded down. Names of roles that do not
 * fit are left out, and `roles_omitted` says how many; permissions are all there.
 *
 * @see RFC 9068 §2
 */
export function signAccessToken(issuer: AccessTokenIssuer, key: SigningKey, token: AccessToken): string {
  const [audience, ...others] = issuer.audiences;
  const roles = fitting(token.roles);
  const omitted = token.roles.length - roles.length;
  return signJwt(key, type, {
    iss: issuer.url,
    aud: others.length === 0 ? audience : [audience, ...others],
    sub: token.userId,
    sid: token.sessionId,
    jti: token.id,
    client_id: token.clientId,
    iat: secondsOf(token.issuedAt),
    exp: secondsOf(token.expiresAt),
    scope: token.permissions.join(' '),
    roles,
    ...(omitted > 0 && { roles_omitted: omitted }),
  });
}

function secondsOf(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}

/** A long name makes no room for itself at the cost of a short one behind it, such as that of a built-in role. */
function fitting(names: readonly string[]): readonly string[] {
  let free = maximalRolesBytes;
  return names.filter((name) => {
    const bytes = Buffer.byteLength(JSON.stringify(name)) + 1;
    if (bytes > free) return false;
    free -= bytes;
    return true;
  });
}

/**
 * Whom the token speaks for, or null unless it is a live access token of this issuer for one of its audiences, signed by
 * a key that `findKey` knows. Says nothing about the session, which may have ended. Null is every fault of the token;
 * a fault of ours is thrown.
 *
 * @see RFC 9068 §4, RFC 8725 §3
 */
export async function verifyAccessToken(
  issuer: AccessTokenIssuer,
  findKey: FindSigningKey,
  token: string,
  now: Date,
): Promise<VerifiedAccessToken | null> {
  if (token.length > maximalCharacters || !compactJwsPattern.test(token)) return null;
  try {
    const { payload, protectedHeader } = await jwtVerify(token, ({ kid }) => publicKey(findKey, kid, now), {
      typ: type,
      algorithms: ['ES256'],
      issuer: issuer.url,
      audience: [...issuer.audiences],
      requiredClaims: ['sub', 'sid', 'jti', 'iat', 'exp', 'client_id'],
      currentDate: now,
    });
    const { sub, sid, jti, iat = Number.NaN, exp = Number.NaN, client_id } = payload;
    const wasIssued = iat <= secondsOf(now) + issuedAtToleranceSeconds;
    if (!isId(sub) || !isId(sid) || !isId(jti) || typeof client_id !== 'string' || !wasIssued) return null;
    const { kid = '' } = protectedHeader;
    return { userId: sub, sessionId: sid, tokenId: jti, keyId: kid, expiresAt: new Date(exp * 1000) };
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}

// Only the kid is taken from the header: a key or an address of keys that the token brings along proves nothing.
async function publicKey(findKey: FindSigningKey, kid: string | undefined, now: Date): Promise<KeyObject> {
  const key = typeof kid === 'string' ? await findKey(kid, now) : undefined;
  if (key === undefined) throw new errors.JWKSNoMatchingKey();
  return key.publicKey;
}

function isId(claim: unknown): claim is string {
  return typeof claim === 'string' && isUuid(claim);
}
