import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliScript, type Environment, run, type ServiceProcess, startService } from '../../support/process.ts';
import { administrator, testEnvironment } from '../../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { signIn, whoIs } from '../operations.ts';

let database: TestDatabase;
let environment: Environment;
let one: ServiceProcess;
beforeAll(async () => {
  database = await createTestDatabase();
  environment = { ...testEnvironment, DATABASE_URL: database.url, PUBLIC_URL: 'http://id.latchkey.test' };
  one = await startService(environment);
});
afterAll(async () => {
  await one.stop();
  await database.drop();
});

async function publishedIds({ url }: ServiceProcess): Promise<readonly string[]> {
  const response = await fetch(`${url}/.well-known/jwks.json`);
  const { keys } = (await response.json()) as { readonly keys: readonly { readonly kid: string }[] };
  return keys.map(({ kid }) => kid);
}

function rotateKeys(...options: readonly string[]) {
  return run(cliScript, ['rotate-keys', ...options], { environment });
}

describe('latchkey rotate-keys', () => {
  it('makes the next key and says from when on it signs; nobody is refused', async () => {
    const { accessToken } = await signIn(one, administrator);
    const { code, stdout, stderr } = await rotateKeys();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, id = '', activeFrom = ''] = /^(\S{43}) signs from (\S+)\n$/.exec(stdout) ?? [];
    const minutesAhead = (Date.parse(activeFrom) - Date.now()) / 60_000;
    expect(minutesAhead).toBeGreaterThan(10);
    expect(minutesAhead).toBeLessThanOrEqual(15);
    expect(await whoIs(one, accessToken)).toBe(administrator.email);
    const other = await startService(environment);
    const [first] = await publishedIds(one);
    expect(await publishedIds(other)).toEqual([first, id]);
    expect(decodeProtectedHeader((await signIn(other, administrator)).accessToken).kid).toBe(first);
    expect(await whoIs(other, accessToken)).toBe(administrator.email);
    await other.stop();
  });

  it('says the same key again until that signs', async () => {
    const [one, another] = [await rotateKeys(), await rotateKeys()];
    expect(one.stdout).toBe(another.stdout);
  });

  it('refuses with --leaked what all keys before have signed, as soon as an instance meets a token of the new one', async () => {
    const old = await signIn(one, administrator);
    const { code, stdout } = await rotateKeys('--leaked');
    expect(code).toBe(0);
    const other = await startService(environment);
    const { accessToken } = await signIn(other, administrator);
    expect(stdout).toContain(String(decodeProtectedHeader(accessToken).kid));
    expect(await publishedIds(other)).toHaveLength(1);
    expect(await whoIs(one, accessToken)).toBe(administrator.email);
    expect(await whoIs(one, old.accessToken)).toBe('["UNAUTHENTICATED"]');
    await other.stop();
  });
});
