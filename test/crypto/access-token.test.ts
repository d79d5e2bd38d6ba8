import { CompactEncrypt, decodeJwt, decodeProtectedHeader, exportSPKI, FlattenedSign, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';

import { permissions } from '../../src/auth/permissions.ts';
import { type AccessToken, signAccessToken, verifyAccessToken } from '../../src/crypto/access-token.ts';
import type { SecretKeys } from '../../src/crypto/secret-keys.ts';
import { generateSigningKey, openSigningKey, type SigningKey } from '../../src/crypto/signing-keys.ts';

const keys: SecretKeys = [Buffer.alloc(32, 1)];
const now = new Date('2026-03-01T12:00:00.000Z');
const nowSeconds = now.getTime() / 1000;
const key = await openSigningKey(keys, await generateSigningKey(keys, now));
const foreignKey = await openSigningKey(keys, await generateSigningKey(keys, now));
const issuer = { url: 'https://id.example.com', audiences: ['https://api.example.com'] } as const;

const accessToken: AccessToken = {
  id: '019aab12-0000-7000-8000-000000000001',
  userId: '019aab12-0000-7000-8000-000000000002',
  sessionId: '019aab12-0000-7000-8000-000000000003',
  clientId: 'latchkey',
  roles: ['admin', 'user'],
  permissions: ['USERS_READ', 'USERS_WRITE'],
  issuedAt: now,
  expiresAt: secondsFromNow(7200),
};
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

const knownKeys: Partial<Record<string, SigningKey>> = { [key.id]: key };

function findKey(kid: string) {
  return Object.hasOwn(knownKeys, kid) ? knownKeys[kid] : undefined;
}

function verify(token: string, at = now) {
  return verifyAccessToken(issuer, findKey, token, at);
}

const header = { typ: 'at+jwt', alg: 'ES256', kid: key.id };
const claims = {
  iss: issuer.url,
  aud: issuer.audiences[0],
  sub: accessToken.userId,
  sid: accessToken.sessionId,
  jti: accessToken.id,
  client_id: 'latchkey',
  scope: '',
  roles: [],
  iat: nowSeconds,
  exp: nowSeconds + 7200,
};

/** A token that our own key signed, whatever it says. */
function signed(changedClaims: Record<string, unknown>, changedHeader: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ ...claims, ...changedClaims })
    .setProtectedHeader({ ...header, ...changedHeader })
    .sign(key.privateKey, { crit: { 'https://example.com/extension': true } });
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('signAccessToken', () => {
  it('makes the token that RFC 9068 describes', async () => {
    const token = await signAccessToken(issuer, key, accessToken);
    expect(decodeProtectedHeader(token)).toEqual({ typ: 'at+jwt', alg: 'ES256', kid: key.id });
    expect(decodeJwt(token)).toEqual({
      iss: 'https://id.example.com',
      aud: 'https://api.example.com',
      sub: accessToken.userId,
      sid: accessToken.sessionId,
      jti: accessToken.id,
      iat: 1_772_366_400,
      exp: 1_772_373_600,
      client_id: 'latchkey',
      scope: 'USERS_READ USERS_WRITE',
      roles: ['admin', 'user'],
    });
  });

  it('names every audience when there are several', async () => {
    const audiences = ['https://a.example.com', 'https://b.example.com'] as const;
    const token = await signAccessToken({ url: issuer.url, audiences }, key, accessToken);
    expect(decodeJwt(token).aud).toEqual(audiences);
  });

  it.each([
    ['four-byte characters', '𝕷'],
    ['characters that JSON escapes', '"'],
  ])(
    'stays below 8 KiB with fifty roles of 64 %s, every permission and the longest audiences',
    async (_, character) => {
      const longNames = Array.from({ length: 49 }, (_, index) => `${character.repeat(62)}${10 + index}`);
      const audiences = ['x'.repeat(1020)] as const;
      const longUrl = `https://${'id.'.repeat(80)}example.com:65535`;
      const token = await signAccessToken({ url: longUrl, audiences }, key, {
        ...accessToken,
        roles: [...longNames, 'user'],
        permissions,
      });
      expect(token.length).toBeLessThan(8192);
      const {
        roles,
        roles_omitted: omitted,
        scope,
      } = decodeJwt<{ roles: string[]; roles_omitted: number; scope: string }>(token);
      expect(scope).toBe(permissions.join(' '));
      expect(roles).toEqual([...longNames.slice(0, roles.length - 1), 'user']);
      expect(roles.length).toBeGreaterThan(10);
      expect(omitted).toBe(50 - roles.length);
      expect(await verifyAccessToken({ url: longUrl, audiences }, findKey, token, now)).toEqual(verified);
    },
  );

  it('rounds instants down to whole seconds', async () => {
    const token = await signAccessToken(issuer, key, {
      ...accessToken,
      issuedAt: new Date('2026-03-01T12:00:00.999Z'),
      expiresAt: new Date('2026-03-01T12:00:15.999Z'),
    });
    expect(decodeJwt(token)).toMatchObject({ iat: nowSeconds, exp: nowSeconds + 15 });
  });
});

describe('verifyAccessToken', () => {
  it('says whose token and session it is', async () => {
    expect(await verify(await signAccessToken(issuer, key, accessToken))).toEqual(verified);
    expect(await verify(await signed({}))).toEqual(verified);
  });

  it('accepts a token for any one of its audiences', async () => {
    const token = await signed({ aud: ['https://b.example.com', 'https://elsewhere.example.com'] });
    const audiences = ['https://a.example.com', 'https://b.example.com'] as const;
    expect(await verifyAccessToken({ url: issuer.url, audiences }, findKey, token, now)).toEqual(verified);
    expect(await verify(token)).toBeNull();
  });

  it('accepts tokens of a key that signs no longer but is still known', async () => {
    const token = await signAccessToken(issuer, foreignKey, accessToken);
    const known = new Map([key, foreignKey].map((each) => [each.id, each]));
    expect(await verifyAccessToken(issuer, (kid) => known.get(kid), token, now)).toEqual({
      ...verified,
      keyId: foreignKey.id,
    });
  });

  it('accepts a token until the second it expires', async () => {
    const token = await signAccessToken(issuer, key, accessToken);
    expect(await verify(token, secondsFromNow(7199.999))).toEqual(verified);
    expect(await verify(token, secondsFromNow(7200))).toBeNull();
  });

  it('accepts a token of an instance whose clock is a second ahead, and none from further in the future', async () => {
    expect(await verify(await signed({ iat: nowSeconds + 1 }))).toEqual(verified);
    expect(await verify(await signed({ iat: nowSeconds + 2 }))).toBeNull();
  });

  it('accepts a token as long as an administrator of many roles may get', async () => {
    const roles = Array.from({ length: 50 }, (_, index) => `${index}`.padEnd(64, 'x'));
    expect(await verify(await signAccessToken(issuer, key, { ...accessToken, roles }))).toEqual(verified);
  });

  it('refuses a token longer than any header that can be read, even signed by us', async () => {
    expect(await verify(await signed({ scope: 'x'.repeat(16_384) }))).toBeNull();
  });

  it('refuses an unsigned token (alg none)', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
      expect(await verify(`${encoded({ ...header, alg })}.${encoded(claims)}.`)).toBeNull();
      expect(await verify(`${encoded({ ...header, alg })}.${encoded(claims)}.AAAA`)).toBeNull();
    }
  });

  it('refuses HS256 signed with the public key', async () => {
    const exportable = await crypto.subtle.importKey(
      'jwk',
      key.publicJwk,
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['verify'],
    );
    for (const secret of [await exportSPKI(exportable), JSON.stringify(key.publicJwk)]) {
      const token = await new SignJWT(claims).setProtectedHeader({ ...header, alg: 'HS256' }).sign(Buffer.from(secret));
      expect(await verify(token)).toBeNull();
    }
  });

  it('refuses a token signed with another key under our kid', async () => {
    expect(await verify(await new SignJWT(claims).setProtectedHeader(header).sign(foreignKey.privateKey))).toBeNull();
  });

  it('refuses a token that brings its own key or tells where to fetch one', async () => {
    const bait = [
      { jwk: foreignKey.publicJwk },
      { jku: 'https://evil.example.com/jwks.json' },
      { x5u: 'https://evil.example.com/cert.pem' },
      { x5c: ['AAAA'] },
    ];
    for (const extra of bait) {
      for (const kid of [key.id, foreignKey.id]) {
        const token = await new SignJWT(claims)
          .setProtectedHeader({ ...header, kid, ...extra })
          .sign(foreignKey.privateKey);
        expect(await verify(token)).toBeNull();
      }
    }
  });

  it('refuses the all-zero signature (CVE-2022-21449)', async () => {
    expect(await verify(`${encoded(header)}.${encoded(claims)}.${Buffer.alloc(64).toString('base64url')}`)).toBeNull();
  });

  it.each([
    ['is not there', { kid: undefined }],
    ['is unknown', { kid: foreignKey.id }],
    ['is a number', { kid: 7 }],
    ['is a list', { kid: [key.id] }],
    ['is a path', { kid: '../../etc/passwd' }],
    ['is a property of every object', { kid: '__proto__' }],
  ])('refuses a token whose kid %s, even signed by us', async (_, changed) => {
    expect(await verify(await signed({}, changed))).toBeNull();
  });

  it.each([
    ['an id token', { typ: 'JWT' }],
    ['a logout token', { typ: 'logout+jwt' }],
    ['a token without a type', { typ: undefined }],
    ['a token whose type is no text', { typ: 7 }],
    [
      'a token that demands an extension',
      { crit: ['https://example.com/extension'], 'https://example.com/extension': 1 },
    ],
  ])('refuses %s, even signed by us', async (_, changed) => {
    expect(await verify(await signed({}, changed))).toBeNull();
  });

  it.each([
    ['of another issuer', { iss: 'https://evil.example.com' }],
    ['of an issuer that only begins like us', { iss: `${issuer.url}/` }],
    ['of a list of issuers', { iss: [issuer.url] }],
    ['for another audience', { aud: 'https://other.example.com' }],
    ['for no audience', { aud: [] }],
    ['for an audience that is no text', { aud: { 0: issuer.audiences[0] } }],
    ['that has expired', { exp: nowSeconds }],
    ['whose end is a text', { exp: `${nowSeconds + 7200}` }],
    ['whose end is null', { exp: null }],
    ['whose beginning is a text', { iat: `${nowSeconds}` }],
    ['that is not valid yet', { nbf: nowSeconds + 1 }],
    ['whose subject is no id', { sub: 'admin' }],
    ['whose subject is a list', { sub: [accessToken.userId] }],
    ['whose subject is SQL', { sub: "' or 1=1 --" }],
    ['whose session is no id', { sid: 'x' }],
    ['whose session is a number', { sid: 7 }],
    ['whose own id is empty', { jti: '' }],
    ['whose client is a number', { client_id: 7 }],
  ])('refuses a token %s, even signed by us', async (_, changed) => {
    expect(await verify(await signed(changed))).toBeNull();
  });

  it.each(['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp', 'client_id'])(
    'refuses a token without %s, even signed by us',
    async (claim) => {
      expect(await verify(await signed({ [claim]: undefined }))).toBeNull();
    },
  );

  it('refuses an unencoded payload (b64 false), even signed by us', async () => {
    const unencoded = JSON.stringify(claims).replaceAll('.', '\\u002e');
    const { protected: protectedHeader, signature } = await new FlattenedSign(Buffer.from(unencoded))
      .setProtectedHeader({ ...header, b64: false, crit: ['b64'] })
      .sign(key.privateKey);
    expect(await verify(`${protectedHeader}.${unencoded}.${signature}`)).toBeNull();
  });

  it('refuses an encrypted token', async () => {
    const token = await new CompactEncrypt(Buffer.from(await signed({})))
      .setProtectedHeader({ ...header, alg: 'dir', enc: 'A256GCM', cty: 'JWT' })
      .encrypt(Buffer.alloc(32));
    expect(await verify(token)).toBeNull();
  });

  it('refuses the JSON serialisation', async () => {
    const [protectedHeader, payload, signature] = (await signed({})).split('.');
    expect(await verify(JSON.stringify({ protected: protectedHeader, payload, signature }))).toBeNull();
    expect(
      await verify(JSON.stringify({ payload, signatures: [{ protected: protectedHeader, signature }] })),
    ).toBeNull();
  });

  it('refuses a token with any part cut, swapped or changed', async () => {
    const token = await signed({});
    const [protectedHeader = '', payload = '', signature = ''] = token.split('.');
    const broken = [
      '',
      '.',
      '..',
      '...',
      'null',
      'é.é.é',
      '\0',
      '\ud800.\ud800.\ud800',
      `${protectedHeader}.${payload}`,
      `${protectedHeader}.${payload}.`,
      `${protectedHeader}..${signature}`,
      `.${payload}.${signature}`,
      `${protectedHeader}.${signature}.${payload}`,
      `${token}.`,
      `${token}.${signature}`,
      `${token}=`,
      ` ${token}`,
      `${token}\n`,
      `Bearer ${token}`,
      token.slice(0, -2),
      `${protectedHeader}.${encoded({ ...claims, sub: accessToken.sessionId })}.${signature}`,
      `${encoded([])}.${payload}.${signature}`,
      `${encoded(null)}.${payload}.${signature}`,
      `${encoded({})}.${payload}.${signature}`,
      `${Buffer.from([0xff, 0xfe]).toString('base64url')}.${payload}.${signature}`,
      `${protectedHeader}.${payload}.${Buffer.alloc(63).toString('base64url')}`,
      `${protectedHeader}.${payload}.A`,
      `A.${payload}.${signature}`,
      'A'.repeat(1_000_000),
      `${'A'.repeat(500_000)}.${'A'.repeat(500_000)}.A`,
      '.'.repeat(1_000_000),
    ];
    const results = await Promise.all(broken.map((each) => verify(each)));
    expect(results).toEqual(broken.map(() => null));
  });

  it('refuses our signature over what is no set of claims, such as another token', async () => {
    for (const content of ['null', '[]', '"text"', '7', '{', '\0', JSON.stringify([claims]), await signed({})]) {
      const {
        protected: protectedHeader,
        payload,
        signature,
      } = await new FlattenedSign(Buffer.from(content)).setProtectedHeader(header).sign(key.privateKey);
      expect(await verify(`${protectedHeader}.${payload}.${signature}`)).toBeNull();
    }
  });

  it('does not take a fault of ours for a fault of the token', async () => {
    const fault = new Error('the keys could not be read');
    const failing = () => {
      throw fault;
    };
    await expect(verifyAccessToken(issuer, failing, await signed({}), now)).rejects.toBe(fault);
    const unusable = { ...key, publicKey: key.privateKey };
    await expect(verifyAccessToken(issuer, () => unusable, await signed({}), now)).rejects.toThrow();
  });
});
