import { createHash } from 'node:crypto';
import { domainToUnicode } from 'node:url';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { OAuthProvider } from '../config/oauth-providers.ts';
import { canonicalEmail } from '../fields/email-address.ts';
import { type KeySource, ProviderUnavailableError } from './key-source.ts';

/** What a provider says of a person, in a token that is good. */
export interface IdToken {
  readonly subject: string;
  /** Canonical; null without one that mail can be sent to. */
  readonly email: string | null;
  /** Only if the provider says `true`, and not a word for it, and of this very mailbox. */
  readonly emailVerified: boolean;
  readonly givenName: unknown;
  readonly familyName: unknown;
  readonly name: unknown;
  /** SHA-256 of what was signed, base64url: the same however its signature is written. */
  readonly digest: string;
  /** From when on the token is refused for its age. */
  readonly goodUntil: Date;
}

/** Why a token is refused, in one word, for the record. */
export class IdTokenRefusal extends Error {
  override readonly name = 'IdTokenRefusal';
  readonly reason: string;

  constructor(reason: string) {
    super(`the ID token is refused: ${reason}`);
    this.reason = reason;
  }
}

const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const LONGEST_TOKEN = 16 * 1024;
const MAX_AGE_SECONDS = 10 * 60;
/** For providers whose clocks are ahead of ours. */
const SKEW_SECONDS = 30;
/** As OpenID Connect has it: at most 255 ASCII characters. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;

interface Expected {
  /** What the client sent along to the provider; null without one. */
  readonly nonce: string | null;
  readonly now: Date;
}

/**
 * What the token says, after everything has been checked: the signature by an asymmetric algorithm of the published key,
 * the exact issuer, the audience, the party it was issued to, its age and its nonce. Whether it was used before is for
 * the database to say.
 *
 * @throws IdTokenRefusal
 * @throws ProviderUnavailableError when its keys cannot be had
 * @see OpenID Connect Core 1.0 §3.1.3.7, RFC 8725
 */
export async function verifyIdToken(
  provider: OAuthProvider,
  keys: KeySource,
  token: string,
  { nonce, now }: Expected,
): Promise<IdToken> {
  refuseUnlikely(token);
  const payload = await verifiedPayload(provider, keys, token, now);
  const issuedAt = requireTimes(payload, now);
  requireParties(provider, payload);
  if ((payload.nonce ?? null) !== nonce) throw new IdTokenRefusal('nonce');
  // A logout token is signed with the same key for the same audience.
  if ('events' in payload) throw new IdTokenRefusal('type');
  const { exp = 0 } = payload;
  const claimed: unknown = payload.email;
  const email = typeof claimed === 'string' ? canonicalEmail(claimed) : null;
  // What jose calls a string here is whatever the token says.
  const subject: unknown = payload.sub;
  if (typeof subject !== 'string' || !SUBJECT.test(subject)) throw new IdTokenRefusal('subject');
  return {
    subject,
    email,
    emailVerified: payload.email_verified === true && isWrittenAs(claimed, email),
    givenName: payload.given_name,
    familyName: payload.family_name,
    name: payload.name,
    digest: createHash('sha256')
      .update(token.slice(0, token.lastIndexOf('.')))
      .digest('base64url'),
    goodUntil: new Date(Math.min(exp, issuedAt + MAX_AGE_SECONDS + 1) * 1000),
  };
}

/** What needs no key to be refused costs no key, nor a request for one. */
function refuseUnlikely(token: string): void {
  if (token.length > LONGEST_TOKEN) throw new IdTokenRefusal('malformed');
  const { alg, typ } = protectedHeaderOf(token);
  if (alg === undefined || !ALGORITHMS.includes(alg)) throw new IdTokenRefusal('algorithm');
  if (typ !== undefined && (typeof typ !== 'string' || typ.toUpperCase() !== 'JWT')) throw new IdTokenRefusal('type');
}

function protectedHeaderOf(token: string) {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw new IdTokenRefusal('malformed');
  }
}

async function verifiedPayload(
  { issuer, audience }: OAuthProvider,
  keys: KeySource,
  token: string,
  now: Date,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, (header, jws) => keys.find(header, jws), {
      algorithms: ALGORITHMS,
      issuer,
      audience: [...audience],
      requiredClaims: ['sub', 'exp', 'iat'],
      currentDate: now,
      clockTolerance: SKEW_SECONDS,
    });
    return payload;
  } catch (error) {
    if (error instanceof ProviderUnavailableError) throw error;
    // Whatever else a token or a key of strangers makes jose stumble over is their fault.
    throw new IdTokenRefusal(reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return error.claim;
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) return 'key';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'malformed';
  return error instanceof errors.JOSENotSupported ? 'malformed' : 'key';
}

/** The tolerance is for clocks that are ahead, and makes no token live longer. Returns `iat`. */
function requireTimes({ iat, exp }: JWTPayload, now: Date): number {
  const seconds = now.getTime() / 1000;
  if (iat === undefined || iat > seconds + SKEW_SECONDS || seconds > iat + MAX_AGE_SECONDS) {
    throw new IdTokenRefusal('iat');
  }
  if (exp === undefined || exp <= seconds) throw new IdTokenRefusal('expired');
  return iat;
}

/** One of the audiences is ours, which jose has looked at. Issued to one of ours as well, as soon as it is for others too. */
function requireParties({ audience }: OAuthProvider, { aud, azp }: JWTPayload): void {
  const hasSeveral = Array.isArray(aud) && aud.length > 1;
  if (azp === undefined && !hasSeveral) return;
  if (typeof azp !== 'string' || !audience.includes(azp)) throw new IdTokenRefusal('azp');
}

/**
 * But for the case of ASCII letters, and a domain in its own letters. What else is folded to this address may be another
 * mailbox to whoever verified it, such as one with a wide letter or a Kelvin sign.
 */
function isWrittenAs(claimed: unknown, email: string | null): boolean {
  if (typeof claimed !== 'string' || email === null) return false;
  const [localPart, domain] = partsOf(email);
  const [claimedLocalPart, claimedDomain] = partsOf(claimed);
  const isSameMailbox = claimedLocalPart.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) === localPart;
  return isSameMailbox && [domain, domainToUnicode(domain)].includes(claimedDomain.toLowerCase());
}

function partsOf(email: string): readonly [localPart: string, domain: string] {
  const at = email.lastIndexOf('@');
  return [email.slice(0, at), email.slice(at + 1)];
}
