import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Environment, milestonesOf, startService } from '../support/process.ts';
import { administrator } from '../support/service.ts';
import { createEmptyTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { LogIn, signIn, whoIs } from './operations.ts';

const PUBLIC_URL = 'https://id.latchkey.test';

describe('in production', () => {
  let database: TestDatabase;
  let environment: Environment;

  beforeEach(async () => {
    database = await createEmptyTestDatabase();
    const SECRET_KEY = randomBytes(32).toString('base64');
    const mail = { MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://127.0.0.1:25' };
    environment = { NODE_ENV: 'production', DATABASE_URL: database.url, PUBLIC_URL, SECRET_KEY, ...mail };
  });

  afterEach(() => database.drop());

  it('the service starts with an administrator of the operator’s choice, and prints no secret', async () => {
    const { email: ADMIN_EMAIL, password: ADMIN_PASSWORD } = administrator;
    const service = await startService({ ...environment, ADMIN_EMAIL, ADMIN_PASSWORD });
    const { accessToken } = await signIn(service, administrator);
    expect(await whoIs(service, accessToken)).toBe(ADMIN_EMAIL);
    expect(decodeJwt(accessToken)).toMatchObject({ iss: PUBLIC_URL, aud: PUBLIC_URL });

    const { headers } = await service.execute(LogIn, { ...administrator, transport: 'COOKIE' });
    expect(headers.get('set-cookie')).toMatch(/^__Host-latchkey_refresh=\S+; .*Secure/);
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000');

    const { code, stdout, stderr } = await service.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(milestonesOf(service)).toEqual(['migrated', 'ready', 'shutting down', 'stopped']);
    expect(stdout).not.toContain(ADMIN_PASSWORD);
  });

  it('the service makes no administrator of its own, but warns that nobody can sign in', async () => {
    const service = await startService(environment);
    expect(service.log()).toContainEqual(
      expect.objectContaining({
        level: 40,
        msg: 'there is no user, and none can be made: set ADMIN_EMAIL and ADMIN_PASSWORD',
      }),
    );
    expect(await service.stop()).toMatchObject({ code: 0, stderr: '' });
  });
});
