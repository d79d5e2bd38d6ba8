import { describe, expect, it } from 'vitest';
import { type AccessToken, signAccessToken } from '../../src/crypto/access-token.ts';
import { createAccessTokenVerifier, type KnownKeys } from '../../src/crypto/access-token-verifier.ts';
import type { SecretKeys } from '../../src/crypto/secret-keys.ts';
import { generateSigningKey, openSigningKey, type SigningKey } from '../../src/crypto/signing-keys.ts';

const keys: SecretKeys = [Buffer.alloc(32, 1)];
const now = new Date('2026-03-01T12:00:00.000Z');
const key = await openSigningKey(keys, await generateSigningKey(keys, now));
const issuer = { url: 'https://id.example.com', audiences: ['https://api.example.com'] } as const;

const accessToken: AccessToken = {
  id: '019aab12-0000-7000-8000-000000000001',
  userId: '019aab12-0000-7000-8000-000000000002',
  sessionId: '019aab12-0000-7000-8000-000000000003',
  clientId: 'latchkey',
  roles: ['user'],
  permissions: [],
  issuedAt: now,
  expiresAt: secondsFromNow(7200),
};
const token = await signAccessToken(issuer, key, accessToken);
const verified = {
  userId: accessToken.userId,
  sessionId: accessToken.sessionId,
  tokenId: accessToken.id,
  keyId: key.id,
  expiresAt: accessToken.expiresAt,
};

function secondsFromNow(seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000);
}

function keysOf(find: (kid: string) => SigningKey | undefined): KnownKeys {
  return { find, findFresh: async (kid) => find(kid) };
}

describe('createAccessTokenVerifier', () => {
  it('says whose token it is, the second time without another look at the signature', async () => {
    // A key under the right id that cannot verify: whoever tried would fail.
    const unusable: SigningKey = { ...key, publicKey: key.privateKey };
    let current = key;
    const verify = createAccessTokenVerifier(
      issuer,
      keysOf(() => current),
    );
    expect(await verify(token, now)).toEqual(verified);
    current = unusable;
    expect(await verify(token, secondsFromNow(1))).toEqual(verified);
    await expect(
      createAccessTokenVerifier(
        issuer,
        keysOf(() => unusable),
      )(token, now),
    ).rejects.toThrow();
  });

  it('refuses a token that it knows from the second it expires', async () => {
    const verify = createAccessTokenVerifier(
      issuer,
      keysOf(() => key),
    );
    expect(await verify(token, now)).toEqual(verified);
    expect(await verify(token, secondsFromNow(7199.999))).toEqual(verified);
    expect(await verify(token, secondsFromNow(7200))).toBeNull();
    expect(await verify(token, secondsFromNow(7201))).toBeNull();
  });

  it('refuses a token that it knows once the clock is set back to before it was issued', async () => {
    const verify = createAccessTokenVerifier(
      issuer,
      keysOf(() => key),
    );
    expect(await verify(token, now)).toEqual(verified);
    expect(await verify(token, secondsFromNow(-60))).toBeNull();
  });

  it('refuses a token that it knows when its key is known no longer', async () => {
    const known = new Map([[key.id, key]]);
    const verify = createAccessTokenVerifier(
      issuer,
      keysOf((kid) => known.get(kid)),
    );
    expect(await verify(token, now)).toEqual(verified);
    known.delete(key.id);
    expect(await verify(token, now)).toBeNull();
  });

  it('refuses what differs from a token that it knows in a single character', async () => {
    const verify = createAccessTokenVerifier(
      issuer,
      keysOf(() => key),
    );
    expect(await verify(token, now)).toEqual(verified);
    for (const position of [0, token.indexOf('.') + 1, token.lastIndexOf('.') + 1]) {
      const other = token[position] === 'A' ? 'B' : 'A';
      expect(await verify(`${token.slice(0, position)}${other}${token.slice(position + 1)}`, now)).toBeNull();
    }
  });

  it('looks again at a token that it refused', async () => {
    const known = new Map<string, SigningKey>();
    const verify = createAccessTokenVerifier(
      issuer,
      keysOf((kid) => known.get(kid)),
    );
    expect(await verify(token, now)).toBeNull();
    known.set(key.id, key);
    expect(await verify(token, now)).toEqual(verified);
  });
});
