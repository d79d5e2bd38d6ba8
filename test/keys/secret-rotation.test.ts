import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSigningKey, SigningKeySealedError } from '../../src/crypto/signing-keys.ts';
import { oneTimeTokenOf } from '../../src/tokens/service.ts';
import { signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { createUnverified, refresh, verify, whoIs } from './operations.ts';

const older = randomBytes(32);
const newer = randomBytes(32);

function text(...secrets: readonly Buffer[]): string {
  return secrets.map((secret) => secret.toString('base64')).join(',');
}

describe('SECRET_KEY, changed while the service runs', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  /** An instance with this list, for as long as the work takes. */
  async function withSecrets<Result>(
    secrets: readonly Buffer[],
    work: (service: TestService) => Promise<Result>,
  ): Promise<Result> {
    const environment = {
      DATABASE_URL: database.url,
      SECRET_KEY: text(...secrets),
      PUBLIC_URL: 'http://id.latchkey.test',
    };
    const service = await startTestService({ environment });
    try {
      return await work(service);
    } finally {
      await service.close();
    }
  }

  it('ends no session, kills no link and refuses no access token on the way', async () => {
    const before = await withSecrets([older], async (service) => ({
      tokens: await signIn(service, administrator),
      link: await createUnverified(service, 'grace@latchkey.test'),
      late: await createUnverified(service, 'joan@latchkey.test'),
    }));

    const both = await withSecrets([older, newer], async (service) => {
      expect(await whoIs(service, before.tokens.accessToken)).toBe(administrator.email);
      return refresh(service, before.tokens.refreshToken);
    });
    if (typeof both === 'string') throw new Error(both);

    const turned = await withSecrets([newer, older], async (service) => {
      expect(await whoIs(service, both.accessToken)).toBe(administrator.email);
      expect(await verify(service, before.link)).toBe('VerifyEmailPayload');
      return refresh(service, both.refreshToken);
    });
    if (typeof turned === 'string') throw new Error(turned);

    await withSecrets([newer], async (service) => {
      expect(await whoIs(service, before.tokens.accessToken)).toBe(administrator.email);
      expect(await whoIs(service, turned.accessToken)).toBe(administrator.email);
      expect(typeof (await refresh(service, turned.refreshToken))).toBe('object');
      // What the old one made is worth nothing now, and ends nothing.
      expect(await verify(service, before.late)).toBe('InvalidTokenError');
      expect(await refresh(service, both.refreshToken)).toBe('INVALID_REFRESH_TOKEN');
    });
  });

  it('leaves no signing key that the old one opens', async () => {
    await withSecrets([newer], async ({ app }) => {
      const rows = await app.db.signingKey.findMany();
      expect(rows).not.toEqual([]);
      for (const row of rows) {
        await expect(openSigningKey([older], row)).rejects.toThrow(SigningKeySealedError);
        expect((await openSigningKey([newer], row)).id).toBe(row.id);
      }
    });
  });

  it('keeps links of mails good that are shown again under the new one', async () => {
    const id = await withSecrets([older, newer], async (service) => {
      await createUnverified(service, 'mary@latchkey.test');
      const row = await service.app.db.oneTimeToken.findFirstOrThrow({ where: { email: 'mary@latchkey.test' } });
      return row.id;
    });
    await withSecrets([newer, older], async (service) => {
      const row = await service.app.db.oneTimeToken.findUniqueOrThrow({ where: { id } });
      expect(await verify(service, oneTimeTokenOf(service.app, row))).toBe('VerifyEmailPayload');
    });
  });

  it('does not start with a secret that opens none of the keys', async () => {
    await expect(withSecrets([randomBytes(32)], async () => {})).rejects.toThrow(SigningKeySealedError);
  });
});
