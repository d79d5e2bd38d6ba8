import { createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureFirstKey, replaceSigningKeys, rotateSigningKeys } from '../../src/keys/rotate.ts';
import { keepKeys, keyUpkeepOf } from '../../src/keys/upkeep.ts';
import { signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { refresh, type Tokens, whoIs } from './operations.ts';

const ACCESS_TOKEN_TTL_SECONDS = 600;
const DAY_SECONDS = 86_400;
const environment = {
  PUBLIC_URL: 'http://id.latchkey.test',
  ACCESS_TOKEN_TTL_SECONDS: String(ACCESS_TOKEN_TTL_SECONDS),
  KEY_ROTATION_DAYS: '30',
};

let one: TestService;
let other: TestService;
beforeAll(async () => {
  one = await startTestService({ environment });
  other = await startTestService({ database: one, environment });
});
afterAll(async () => {
  await other.close();
  await one.close();
});

// Each case begins with one key, which has just begun to sign.
beforeEach(async () => {
  one.clock.advanceSeconds(1);
  const { database, config, db } = one.app;
  await db.signingKey.deleteMany();
  await ensureFirstKey(database, config.secretKeys, one.clock.now());
  await Promise.all([one.app.keys.reload(), other.app.keys.reload()]);
});

function rotate(service: TestService) {
  return rotateSigningKeys(service.app.database, keyUpkeepOf(service.app), service.clock.now());
}

function keep(service: TestService): Promise<void> {
  return keepKeys(keyUpkeepOf(service.app));
}

async function publishedKeys({ url }: TestService) {
  const response = await fetch(`${url}/.well-known/jwks.json`);
  return (await response.json()) as { keys: (JWK & { kid: string })[] };
}

async function publishedIds(service: TestService): Promise<readonly string[]> {
  return (await publishedKeys(service)).keys.map(({ kid }) => kid);
}

function newTokens(service: TestService): Promise<Tokens> {
  return signIn(service, administrator);
}

/** Expects that it works. */
async function successor(service: TestService, { refreshToken }: Tokens): Promise<Tokens> {
  const tokens = await refresh(service, refreshToken);
  if (typeof tokens === 'string') throw new Error(`no refresh: ${tokens}`);
  return tokens;
}

function signerOf(token: string): string | undefined {
  return decodeProtectedHeader(token).kid;
}

describe('a rotation of the signing keys', () => {
  it('publishes the next key at every instance before it signs', async () => {
    const [first = ''] = await publishedIds(one);
    const next = await rotate(one);
    await Promise.all([keep(one), keep(other)]);
    expect(await publishedIds(one)).toEqual([first, next.id]);
    expect(await publishedIds(other)).toEqual([first, next.id]);
    expect(signerOf((await newTokens(one)).accessToken)).toBe(first);
    one.clock.advanceSeconds(10 * 60);
    expect(signerOf((await newTokens(one)).accessToken)).toBe(first);
    one.clock.advanceSeconds(5 * 60);
    expect(signerOf((await newTokens(one)).accessToken)).toBe(next.id);
    expect(signerOf((await newTokens(other)).accessToken)).toBe(next.id);
  });

  it('keeps the old key until the last token that it signed has expired, and no longer', async () => {
    const [first = ''] = await publishedIds(one);
    const next = await rotate(one);
    await keep(one);
    one.clock.advanceSeconds(15 * 60 - 1);
    const { accessToken } = await newTokens(one);
    expect(signerOf(accessToken)).toBe(first);
    one.clock.advanceSeconds(ACCESS_TOKEN_TTL_SECONDS - 1);
    expect(await whoIs(one, accessToken)).toBe(administrator.email);
    expect(await publishedIds(one)).toEqual([first, next.id]);
    one.clock.advanceSeconds(120);
    expect(await publishedIds(one)).toEqual([next.id]);
    await keep(one);
    expect(await one.app.db.signingKey.count()).toBe(1);
  });

  it('is one, however many ask for it, until the next key signs', async () => {
    const made = await Promise.all([one, other, one, other, one, other].map(rotate));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await one.app.db.signingKey.count()).toBe(2);
    one.clock.advanceSeconds(15 * 60);
    expect((await rotate(one)).id).not.toBe(made[0]?.id);
  });

  it('refuses nobody while it goes on, at neither of two instances nor at a verifier of one’s own', async () => {
    let tokens = await newTokens(one);
    let keySet = await publishedKeys(other);
    const signers = new Set<string | undefined>();
    await rotate(one);
    for (let minute = 0; minute < 45; minute += 1) {
      const [refreshing, asked] = minute % 2 === 0 ? [one, other] : [other, one];
      tokens = await successor(refreshing, tokens);
      signers.add(signerOf(tokens.accessToken));
      expect(await whoIs(asked, tokens.accessToken)).toBe(administrator.email);
      // As old as the header of the answer lets it be.
      await jwtVerify(tokens.accessToken, createLocalJWKSet(keySet), { currentDate: one.clock.now() });
      if (minute % 5 === 4) keySet = await publishedKeys(asked);
      await keep(asked);
      one.clock.advanceSeconds(60);
    }
    expect(signers.size).toBe(2);
  });

  it('is on record', async () => {
    const { id, activeFrom } = await rotate(one);
    expect(
      await one.app.db.auditEvent.findMany({ where: { type: 'signing_key.created', at: one.clock.now() } }),
    ).toEqual([expect.objectContaining({ actorId: null, data: { kid: id, activeFrom: activeFrom.toISOString() } })]);
  });
});

describe('the schedule', () => {
  it('rotates once KEY_ROTATION_DAYS have passed, so that the next key signs on time', async () => {
    const [first] = await publishedIds(one);
    one.clock.advanceSeconds(30 * DAY_SECONDS - 15 * 60 - 1);
    await keep(one);
    expect(await publishedIds(one)).toEqual([first]);
    one.clock.advanceSeconds(1);
    await Promise.all([keep(one), keep(other), keep(one), keep(other)]);
    expect(await publishedIds(one)).toHaveLength(2);
    expect(await one.app.db.signingKey.count()).toBe(2);
  });

  it('leaves it to the operator with KEY_ROTATION_DAYS=0', async () => {
    one.clock.advanceSeconds(4000 * DAY_SECONDS);
    await keepKeys({ ...keyUpkeepOf(one.app), rotationDays: 0 });
    expect(await publishedIds(one)).toHaveLength(1);
  });
});

describe('a token of a key that an instance has not heard of', () => {
  it('is believed, since the instance looks the key up', async () => {
    const { id } = await rotate(one);
    await one.app.keys.reload();
    one.clock.advanceSeconds(15 * 60);
    const { accessToken } = await newTokens(one);
    expect(signerOf(accessToken)).toBe(id);
    expect(await publishedIds(other)).not.toContain(id);
    expect(await whoIs(other, accessToken)).toBe(administrator.email);
  });
});

describe('keys that have leaked', () => {
  it('are refused, and the session goes on with the next refresh', async () => {
    const tokens = await newTokens(one);
    expect(await whoIs(one, tokens.accessToken)).toBe(administrator.email);
    one.clock.advanceSeconds(60);
    const { id } = await replaceSigningKeys(one.app.database, keyUpkeepOf(one.app), one.clock.now());
    await Promise.all([keep(one), keep(other)]);
    expect(await whoIs(one, tokens.accessToken)).toBeNull();
    expect(await whoIs(other, tokens.accessToken)).toBeNull();
    const next = await successor(other, tokens);
    expect(signerOf(next.accessToken)).toBe(id);
    expect(await whoIs(one, next.accessToken)).toBe(administrator.email);
  });
});
