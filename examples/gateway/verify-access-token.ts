import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { followRevocations } from '../../src/revocation-feed/client.ts';

export interface AccessTokenVerifier {
  /** The claims of the bearer token in an Authorization header; null for none and for one that is no good. */
  verify(authorization: string | null): Promise<JWTPayload | null>;
  close(): void;
}

/** Verifies access tokens without asking Latchkey for each: by its keys, and by its list of what was revoked. */
export async function createAccessTokenVerifier(issuer: string, maxAgeSeconds = 5): Promise<AccessTokenVerifier> {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer));
  const revocations = followRevocations({ issuer, whenUnknown: 'refuse', maxAgeSeconds });
  await revocations.ready;
  return {
    async verify(authorization) {
      const [, token] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
      if (token === undefined) return null;
      try {
        const options = { issuer, audience: issuer, typ: 'at+jwt', algorithms: ['ES256'] };
        const { payload } = await jwtVerify(token, keys, options);
        return revocations.isRevoked(payload) ? null : payload;
      } catch {
        return null;
      }
    },
    close: revocations.close,
  };
}
