import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, type ServiceProcess, startService } from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { signIn } from './operations.ts';

const verifier = join(import.meta.dirname, '../support/verifier.ts');
const AUDIENCE = 'https://api.latchkey.test';

describe('another process, which has nothing but jose and the URL of the service', () => {
  let database: TestDatabase;
  let service: ServiceProcess;
  let issuer: string;
  let accessToken: string;
  let refreshToken: string;
  let sessionId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({
      ...testEnvironment,
      DATABASE_URL: database.url,
      TOKEN_AUDIENCE: `${AUDIENCE},https://other.latchkey.test`,
    });
    issuer = `http://localhost:${new URL(service.url).port}`;
    ({ accessToken, refreshToken, sessionId } = await signIn(service, administrator));
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  it('verifies an access token with the published keys', async () => {
    expect(await verified([accessToken])).toEqual([
      {
        protectedHeader: { alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) },
        payload: {
          iss: issuer,
          aud: [AUDIENCE, 'https://other.latchkey.test'],
          sub: expect.any(String),
          sid: sessionId,
          jti: expect.any(String),
          client_id: 'latchkey',
          scope: expect.stringContaining('USERS_READ'),
          roles: ['admin', 'user'],
          iat: expect.any(Number),
          exp: expect.any(Number),
        },
      },
    ]);
  });

  it('refuses an access token that is meant for somebody else', async () => {
    expect(await verified([accessToken], 'https://third.latchkey.test')).toEqual(['ERR_JWT_CLAIM_VALIDATION_FAILED']);
  });

  it('refuses what was tampered with, signed by others, not signed, or is a refresh token', async () => {
    const [head = '', payload = '', signature = ''] = accessToken.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const header = JSON.parse(Buffer.from(head, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody else' })).toString('base64url');
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const sign = (protectedHeader: object) =>
      new SignJWT(claims).setProtectedHeader({ ...header, ...protectedHeader }).sign(privateKey);
    expect(
      await verified([
        `${head}.${forged}.${signature}`,
        `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
        await sign({}),
        await sign({ kid: 'another' }),
        await sign({ kid: 'another', jwk: await exportJWK(privateKey) }),
        new UnsecuredJWT(claims).encode(),
        refreshToken,
      ]),
    ).toEqual([
      'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      'ERR_JWKS_NO_MATCHING_KEY',
      'ERR_JWKS_NO_MATCHING_KEY',
      'ERR_JOSE_ALG_NOT_ALLOWED',
      'ERR_JWS_INVALID',
    ]);
  });

  async function verified(tokens: readonly string[], audience = AUDIENCE): Promise<readonly unknown[]> {
    const { code, stdout, stderr } = await run(verifier, [issuer, audience, ...tokens]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }
});
