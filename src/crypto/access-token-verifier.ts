import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import {
  type AccessTokenIssuer,
  type FindSigningKey,
  type VerifiedAccessToken,
  verifyAccessToken,
} from './access-token.ts';
import type { SigningKey } from './signing-keys.ts';

/** What `verifyAccessToken` says of the token at this instant. */
export type AccessTokenVerifier = (token: string, now: Date) => Promise<VerifiedAccessToken | null>;

const MAX_REMEMBERED = 10_000;

/** Where the keys are. */
export interface KnownKeys {
  /** Among those at hand. */
  find(kid: string, now: Date): SigningKey | undefined;
  /** Wherever it takes to look for it. */
  readonly findFresh: FindSigningKey;
}

interface Remembered {
  readonly verified: VerifiedAccessToken;
  readonly verifiedAt: Date;
}

/**
 * Says the same as `verifyAccessToken`, but checks the signature of a token that comes again only once: it is the most
 * costly part of a request, and what was signed stays signed. What can change is looked at every time: whether the token
 * has expired, and whether its key is still known. Only tokens that were good are remembered, by their digests, so that
 * nothing that could be used lies in memory.
 */
export function createAccessTokenVerifier(issuer: AccessTokenIssuer, keys: KnownKeys): AccessTokenVerifier {
  const remembered = new LRUCache<string, Remembered>({ max: MAX_REMEMBERED });
  return async (token, now) => {
    const digest = hash('sha256', token, 'base64');
    const known = remembered.get(digest);
    if (known !== undefined && stillHolds(known, keys, now)) return known.verified;
    const verified = await verifyAccessToken(issuer, keys.findFresh, token, now);
    if (verified !== null) remembered.set(digest, { verified, verifiedAt: now });
    return verified;
  };
}

/** Before it was verified it may not have been valid yet, if the clock was set back. */
function stillHolds({ verified, verifiedAt }: Remembered, keys: KnownKeys, now: Date): boolean {
  return verifiedAt <= now && now < verified.expiresAt && keys.find(verified.keyId, now) !== undefined;
}
