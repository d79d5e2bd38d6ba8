import { generateKeyPairSync, KeyObject, sign } from 'node:crypto';
import { exportSPKI, importJWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { CLIENT_ID, createKey, forge, hmac, type Issuer, type KeyPair, startIssuer } from './issuer.ts';
import { invalidIdToken, LogInWithOAuth, signedInBy } from './operations.ts';

let issuer: Issuer;
let other: Issuer;
let rsa: KeyPair;
let service: TestService;

beforeAll(async () => {
  const now = () => service.clock.now();
  [issuer, other, rsa] = await Promise.all([startIssuer(now), startIssuer(now), createKey('RS256', 'rsa')]);
  issuer.publish([issuer.key.jwk, rsa.jwk]);
  const rest = { autoCreate: true };
  service = await startTestService({
    environment: {
      OAUTH_PROVIDERS: JSON.stringify([
        { name: 'example', issuer: issuer.url, audience: [CLIENT_ID, 'latchkey-app'], ...rest },
        { name: 'other', issuer: other.url, audience: [CLIENT_ID], ...rest },
      ]),
    },
  });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => Promise.all([service?.close(), issuer?.close(), other?.close()]));

function logIn(idToken: string, { provider = 'example', nonce }: { provider?: string; nonce?: string } = {}) {
  return service.execute(LogInWithOAuth, { input: { provider, idToken, nonce } });
}

/** The reason that is on record for the last refusal. */
async function expectRefusal(attempt: () => ReturnType<typeof logIn>): Promise<unknown> {
  const before = await stateOf(service);
  expect(await attempt()).toMatchObject({ status: 200, data: { loginWithOAuth: invalidIdToken }, errors: [] });
  expect(await stateOf(service)).toEqual(before);
  const event = await service.app.db.auditEvent.findFirstOrThrow({ orderBy: { id: 'desc' } });
  expect(event).toMatchObject({ type: 'login.failed', subjectId: null, email: null });
  return event.data;
}

/** What a refused token must leave as it is. */
async function stateOf({ app }: TestService) {
  const [users, identities, sessions] = await Promise.all([
    app.db.user.findMany({ orderBy: { id: 'asc' } }),
    app.db.identity.findMany({ orderBy: { id: 'asc' } }),
    app.db.session.count(),
  ]);
  return { users, identities, sessions };
}

const seconds = () => Math.floor(service.clock.now().getTime() / 1000);

/** Signed rightly, with a header that jose would not sign. */
async function withCriticalExtension(): Promise<string> {
  const { privateKey, jwk } = issuer.key;
  const key = { key: KeyObject.from(privateKey), dsaEncoding: 'ieee-p1363' } as const;
  return forge(await issuer.idToken(), { alg: 'ES256', kid: jwk.kid, crit: ['x'], x: 1 }, (signed) =>
    sign('sha256', Buffer.from(signed), key).toString('base64url'),
  );
}

describe('an ID token', () => {
  it.each([
    [
      'by another key under the name of the published one',
      'signature',
      async () => {
        const key = await createKey('ES256', issuer.key.jwk.kid);
        return issuer.idToken({}, { key });
      },
    ],
    [
      'by a key that it brings along',
      'key',
      async () => {
        const key = await createKey();
        return issuer.idToken({}, { key, header: { jwk: key.jwk } });
      },
    ],
    [
      'by a key that it says where to find',
      'key',
      async () => {
        const key = await createKey('ES256', 'theirs');
        other.publish([other.key.jwk, key.jwk]);
        return issuer.idToken({}, { key, header: { jku: `${other.url}/jwks` } });
      },
    ],
    ['by another issuer’s key', 'key', () => issuer.idToken({}, { key: other.key })],
    [
      'without any signature',
      'algorithm',
      async () => forge(await issuer.idToken(), { alg: 'none', kid: issuer.key.jwk.kid }, () => ''),
    ],
    [
      'without any signature, in capitals',
      'algorithm',
      async () => forge(await issuer.idToken(), { alg: 'None' }, () => ''),
    ],
    [
      'with the public key as the secret of an HMAC',
      'algorithm',
      async () => {
        const publicKey = await importJWK(rsa.jwk, 'RS256', { extractable: true });
        if (publicKey instanceof Uint8Array) throw new Error('a public key is no bytes');
        return forge(await issuer.idToken(), { alg: 'HS256', kid: 'rsa' }, hmac(await exportSPKI(publicKey)));
      },
    ],
    [
      'with the published JWK as the secret of an HMAC',
      'algorithm',
      async () => forge(await issuer.idToken(), { alg: 'HS512', kid: 'rsa' }, hmac(JSON.stringify(rsa.jwk))),
    ],
    [
      'by a published key of another algorithm',
      'key',
      () => issuer.idToken({}, { key: rsa, header: { kid: issuer.key.jwk.kid } }),
    ],
    ['with its signature cut off', 'signature', async () => (await issuer.idToken()).slice(0, -8)],
    [
      'with other claims behind its signature',
      'signature',
      async () => {
        const [own = '', theirs = ''] = await Promise.all([
          issuer.idToken({ sub: 'own' }),
          issuer.idToken({ sub: 'theirs' }),
        ]);
        return [own.split('.')[0], theirs.split('.')[1], own.split('.')[2]].join('.');
      },
    ],
    ['with an extension that must be understood', 'malformed', () => withCriticalExtension()],
    ['that is an access token', 'type', () => issuer.idToken({}, { header: { typ: 'at+jwt' } })],
    [
      'that is a logout token',
      'type',
      () => issuer.idToken({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
    ],
  ])('is refused %s', async (_what, reason, tokenOf) => {
    const idToken = await tokenOf();
    expect(await expectRefusal(() => logIn(idToken))).toEqual({ provider: 'example', reason: `id_token_${reason}` });
  });

  it.each([
    ['of another issuer', 'iss', () => ({ iss: other.url })],
    ['of nearly the same issuer', 'iss', () => ({ iss: `${issuer.url}/` })],
    ['of no issuer', 'iss', () => ({ iss: undefined })],
    ['for another audience', 'aud', () => ({ aud: 'another-client' })],
    ['for a longer audience', 'aud', () => ({ aud: `${CLIENT_ID}2` })],
    ['for nobody', 'aud', () => ({ aud: undefined })],
    ['for several others', 'aud', () => ({ aud: ['another-client', 'a-third'] })],
    ['for us and others, issued to nobody', 'azp', () => ({ aud: [CLIENT_ID, 'another-client'] })],
    ['for us and others, issued to another', 'azp', () => ({ aud: [CLIENT_ID, 'another'], azp: 'another' })],
    ['for us, issued to another', 'azp', () => ({ azp: 'another-client' })],
    ['issued to a list', 'azp', () => ({ azp: [CLIENT_ID] })],
    ['that expires now', 'expired', () => ({ exp: seconds() })],
    ['that expired a minute ago', 'expired', () => ({ exp: seconds() - 60 })],
    ['that never expires', 'exp', () => ({ exp: undefined })],
    ['that expires in words', 'exp', () => ({ exp: 'tomorrow' })],
    ['that is older than 10 minutes', 'iat', () => ({ iat: seconds() - 601 })],
    ['of the future', 'iat', () => ({ iat: seconds() + 31 })],
    ['of no time', 'iat', () => ({ iat: undefined })],
    ['that is good later', 'nbf', () => ({ nbf: seconds() + 31 })],
    ['about nobody', 'sub', () => ({ sub: undefined })],
    ['about an empty name', 'subject', () => ({ sub: '' })],
    ['about a number', 'subject', () => ({ sub: 7 })],
    ['about a name that is too long', 'subject', () => ({ sub: 'x'.repeat(256) })],
    ['about a name that cannot be stored', 'subject', () => ({ sub: 'a\u0000b' })],
    ['with a nonce that nobody sent', 'nonce', () => ({ nonce: 'theirs' })],
  ])('is refused %s', async (_what, reason, claimsOf) => {
    const idToken = await issuer.idToken(claimsOf());
    expect(await expectRefusal(() => logIn(idToken))).toEqual({ provider: 'example', reason: `id_token_${reason}` });
  });

  it.each([
    ['ours', () => ({ aud: [CLIENT_ID] })],
    ['ours among others, issued to one of ours', () => ({ aud: ['another', CLIENT_ID], azp: 'latchkey-app' })],
    ['ours, issued to another of ours', () => ({ azp: 'latchkey-app' })],
  ])('is taken for an audience that is %s', async (_what, claimsOf) => {
    signedInBy(await logIn(await issuer.idToken(claimsOf())));
  });

  it('is taken until it is 10 minutes old, or expires, and from a clock that is a little ahead', async () => {
    for (const claims of [
      { iat: seconds() - 600 },
      { exp: seconds() + 1 },
      { iat: seconds() + 30, nbf: seconds() + 30 },
    ]) {
      signedInBy(await logIn(await issuer.idToken(claims)));
    }
  });

  it('is refused with another nonce than was sent, and taken with the same', async () => {
    const idToken = await issuer.idToken({ nonce: 'n-0S6_WzA2Mj' });
    for (const nonce of [undefined, '', 'n-0s6_wza2mj', 'n-0S6_WzA2Mj ', '\u0000']) {
      expect(await expectRefusal(() => logIn(idToken, nonce === undefined ? {} : { nonce }))).toMatchObject({
        reason: 'id_token_nonce',
      });
    }
    const without = await issuer.idToken();
    expect(await expectRefusal(() => logIn(without, { nonce: 'n-0S6_WzA2Mj' }))).toMatchObject({
      reason: 'id_token_nonce',
    });
    signedInBy(await logIn(idToken, { nonce: 'n-0S6_WzA2Mj' }));
  });

  it('of one provider is refused as another’s', async () => {
    const idToken = await issuer.idToken();
    expect(await expectRefusal(() => logIn(idToken, { provider: 'other' }))).toEqual({
      provider: 'other',
      reason: 'id_token_key',
    });
    signedInBy(await logIn(idToken));
  });

  it('by an RSA key is as good as by one of an elliptic curve, but not by one of 1,024 bits', async () => {
    signedInBy(await logIn(await issuer.idToken({}, { key: rsa })));
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    issuer.publish([
      issuer.key.jwk,
      rsa.jwk,
      { ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' },
    ]);
    service.clock.advanceSeconds(10);
    const forged = forge(await issuer.idToken(), { alg: 'RS256', kid: 'weak' }, (signed) =>
      sign('sha256', Buffer.from(signed), weak.privateKey).toString('base64url'),
    );
    expect(await expectRefusal(() => logIn(forged))).toMatchObject({ reason: 'id_token_key' });
  });

  it.each([
    ['empty', ''],
    ['words', 'not a token'],
    ['dots', '..'],
    ['four parts', 'a.b.c.d'],
    ['five parts', 'a.b.c.d.e'],
    ['a header that is no JSON', 'eA.eA.eA'],
    ['a header that is a list', `${Buffer.from('[]').toString('base64url')}.eA.eA`],
    ['a header of numbers', `${Buffer.from('{"alg":7,"kid":{}}').toString('base64url')}.e30.eA`],
    ['NUL', 'a\u0000.b.c'],
    ['half a character', '\ud83d.\ud83d.\ud83d'],
    ['very long', `${'a'.repeat(60_000)}.b.c`],
  ])('that is none is refused: %s', async (_what, idToken) => {
    await expectRefusal(() => logIn(idToken));
  });
});

describe('an ID token that was used', () => {
  it('is refused the second time, also at another instance', async () => {
    const instance = await startTestService({
      database: service,
      environment: {
        OAUTH_PROVIDERS: JSON.stringify([{ name: 'example', issuer: issuer.url, audience: [CLIENT_ID] }]),
      },
    });
    const idToken = await issuer.idToken({ sub: 'replayed' });
    const { user } = signedInBy(await logIn(idToken));

    expect(await expectRefusal(() => logIn(idToken))).toEqual({ provider: 'example', reason: 'id_token_used' });
    const elsewhere = await instance.execute(LogInWithOAuth, { input: { provider: 'example', idToken } });
    expect(elsewhere.data).toEqual({ loginWithOAuth: invalidIdToken });

    expect(await service.app.db.session.count({ where: { userId: user.id } })).toBe(1);
    await instance.close();
  });

  it('is refused with the other signature that is as good as the first', async () => {
    const idToken = await issuer.idToken({ sub: 'malleable' });
    const signature = Buffer.from(idToken.split('.')[2] ?? '', 'base64url');
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const other = order - BigInt(`0x${signature.subarray(32).toString('hex')}`);
    const twin = Buffer.concat([signature.subarray(0, 32), Buffer.from(other.toString(16).padStart(64, '0'), 'hex')]);
    const [header, payload] = idToken.split('.');

    signedInBy(await logIn([header, payload, twin.toString('base64url')].join('.')));

    expect(await expectRefusal(() => logIn(idToken))).toMatchObject({ reason: 'id_token_used' });
  });

  it('is used up by a refusal, too', async () => {
    const { user } = signedInBy(await logIn(await issuer.idToken({ sub: 'refused' })));
    await service.app.db.user.update({ where: { id: user.id }, data: { status: 'REVOKED' } });
    const idToken = await issuer.idToken({ sub: 'refused' });
    expect((await logIn(idToken)).data?.loginWithOAuth?.__typename).toBe('UserInactiveError');
    await service.app.db.user.update({ where: { id: user.id }, data: { status: 'ACTIVE' } });
    expect(await expectRefusal(() => logIn(idToken))).toMatchObject({ reason: 'id_token_used' });
  });

  it('is forgotten when it is too old to be used, and is nowhere in the database as it stands', async () => {
    const idToken = await issuer.idToken();
    signedInBy(await logIn(idToken));
    await service.app.background.drain();
    const used = await service.app.db.usedIdToken.findMany();
    expect(used.length).toBeGreaterThan(0);
    expect(JSON.stringify(used)).not.toContain(idToken.slice(-20));
    service.clock.advanceSeconds(12 * 60);
    signedInBy(await logIn(await issuer.idToken()));
    await service.app.background.drain();
    expect(await service.app.db.usedIdToken.count()).toBe(1);
  });

  it('is in no line of the log', async () => {
    const idToken = await issuer.idToken({ nonce: 'a nonce of its own', email: 'unlogged@provider.test' });
    await expectRefusal(() => logIn(idToken));
    signedInBy(await logIn(idToken, { nonce: 'a nonce of its own' }));
    const secrets = [idToken.slice(-40), idToken.split('.')[1] ?? '', 'a nonce of its own', 'unlogged@provider.test'];
    for (const line of service.log) for (const secret of secrets) expect(line).not.toContain(secret);
  });
});
