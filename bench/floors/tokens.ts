import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { z } from 'zod';

/** What a refresh token stands for. */
export interface Rotation {
  readonly sessionId: string;
  readonly generation: number;
}

const ISSUER = 'https://latchkey.test';
const LIFE_SECONDS = 7200;

const Claims = z.object({
  iss: z.literal(ISSUER),
  aud: z.literal(ISSUER),
  sub: z.string(),
  sid: z.string(),
  exp: z.int(),
});

const { privateKey, publicKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const signingKey = { key: createPrivateKey(privateKey), dsaEncoding: 'ieee-p1363' } as const;
const verificationKey = { key: createPublicKey(publicKey), dsaEncoding: 'ieee-p1363' } as const;
const refreshKey = randomBytes(32);

const HEADER = encode({ typ: 'at+jwt', alg: 'ES256' });

/** An access token as the service's are: a JWT of the same algorithm, with claims like its own. */
export function signAccessToken(userId: string, sessionId: string, roles: readonly string[]): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: ISSUER, aud: ISSUER, sub: userId, sid: sessionId, roles, iat, exp: iat + LIFE_SECONDS };
  const signed = `${HEADER}.${encode(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), signingKey).toString('base64url')}`;
}

/** The session behind the token, or null. Synchronous, which is the fastest way to check a signature here. */
export function verifyAccessToken(token: string): string | null {
  const [header, claims = '', signature = ''] = token.split('.');
  const signed = `${header}.${claims}`;
  if (header !== HEADER) return null;
  if (!verify('sha256', Buffer.from(signed), verificationKey, Buffer.from(signature, 'base64url'))) return null;
  const { sid, exp } = Claims.parse(JSON.parse(Buffer.from(claims, 'base64url').toString()));
  return exp > Date.now() / 1000 ? sid : null;
}

/** Derived from what it stands for, as the service's are, and stored nowhere. */
export function deriveRefreshToken({ sessionId, generation }: Rotation): string {
  const content = `${sessionId}.${generation}`;
  return `${content}.${macOf(content).toString('base64url')}`;
}

export function readRefreshToken(token: string): Rotation | null {
  const [sessionId = '', generation = '', mac = ''] = token.split('.');
  const expected = macOf(`${sessionId}.${generation}`);
  const given = Buffer.from(mac, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  return { sessionId, generation: Number(generation) };
}

function macOf(content: string): Buffer {
  return createHmac('sha256', refreshKey).update(content).digest();
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
