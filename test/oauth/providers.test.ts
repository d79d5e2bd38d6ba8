import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { createKey, DISCOVERY, type Issuer, JWKS, json, providers, startIssuer } from './issuer.ts';
import { invalidIdToken, LogInWithOAuth, signedInBy } from './operations.ts';

const NAMES = ['example', 'rotating', 'forgetful', 'moved', 'down', 'slow', 'trickling', 'silent', 'hostile'] as const;
const MOST_MILLISECONDS = 5000;

let issuers: Record<(typeof NAMES)[number], Issuer>;
/** Something else that listens on this machine, and counts who calls. */
let neighbour: Server;
let calls = 0;
let service: TestService;

beforeAll(async () => {
  const started = await Promise.all(
    NAMES.map(async (name) => [name, await startIssuer(() => service.clock.now())] as const),
  );
  issuers = Object.fromEntries(started) as typeof issuers;
  neighbour = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  neighbour.listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  const entries = started.map(([name, { url }]) => [name, { url, autoCreate: true }]);
  service = await startTestService({ environment: { OAUTH_PROVIDERS: providers(Object.fromEntries(entries)) } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(async () => {
  neighbour?.close();
  await Promise.all([service?.close(), ...Object.values(issuers ?? {}).map((issuer) => issuer.close())]);
});

function logIn(provider: string, idToken: string) {
  return service.execute(LogInWithOAuth, { input: { provider, idToken } });
}

/** Within the time, a token that would be good, were there the keys to check it; with this reason on record. */
async function expectRefusal(name: keyof typeof issuers, reason: string): Promise<void> {
  const startedAt = performance.now();
  const answer = await logIn(name, await issuers[name].idToken());
  expect(performance.now() - startedAt).toBeLessThan(MOST_MILLISECONDS);
  expect(answer).toMatchObject({ status: 200, data: { loginWithOAuth: invalidIdToken }, errors: [] });
  const where = { AND: [{ data: { path: ['provider'], equals: name } }, { type: 'login.failed' }] };
  const { data } = await service.app.db.auditEvent.findFirstOrThrow({ where, orderBy: { id: 'desc' } });
  expect(data).toEqual({ provider: name, reason });
}

/** The same, for want of keys; returns what the operator reads of it. */
async function expectUnavailable(name: keyof typeof issuers): Promise<string> {
  await expectRefusal(name, 'provider_unavailable');
  return reasonIn(service.log.findLast((line) => line.includes(`"provider":"${name}"`)) ?? '{}');
}

function reasonIn(line: string): string {
  const { reason }: { readonly reason?: string } = JSON.parse(line);
  return reason ?? '';
}

describe('the keys of a provider', () => {
  it('are fetched once for fifty who sign in at the same time, and kept for ten minutes', async () => {
    const { example } = issuers;
    const idTokens = await Promise.all(Array.from({ length: 50 }, () => example.idToken()));
    for (const answer of await Promise.all(idTokens.map((idToken) => logIn('example', idToken)))) signedInBy(answer);
    expect(example.requests).toEqual([DISCOVERY, JWKS]);
    service.clock.advanceSeconds(599);
    signedInBy(await logIn('example', await example.idToken()));
    expect(example.requests).toHaveLength(2);
    service.clock.advanceSeconds(1);
    signedInBy(await logIn('example', await example.idToken()));
    expect(example.requests).toEqual([DISCOVERY, JWKS, DISCOVERY, JWKS]);
  });

  it('are fetched again for a key that is new, at most once in ten seconds', async () => {
    const { rotating } = issuers;
    signedInBy(await logIn('rotating', await rotating.idToken()));
    const next = await createKey();
    rotating.publish([rotating.key.jwk, next.jwk]);
    service.clock.advanceSeconds(10);
    signedInBy(await logIn('rotating', await rotating.idToken({}, { key: next })));
    expect(rotating.requests).toHaveLength(4);

    const unpublished = await createKey();
    service.clock.advanceSeconds(10);
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      const answer = await logIn('rotating', await rotating.idToken({}, { key: unpublished }));
      expect(answer.data).toEqual({ loginWithOAuth: invalidIdToken });
    }
    expect(rotating.requests).toHaveLength(6);
    // Whoever makes keys up takes nothing from the others.
    signedInBy(await logIn('rotating', await rotating.idToken({}, { key: next })));
  });

  it('that are withdrawn are good for nothing ten minutes later, also when the provider is away', async () => {
    const { forgetful } = issuers;
    signedInBy(await logIn('forgetful', await forgetful.idToken()));
    forgetful.on(JWKS, (_request, response) => response.writeHead(503).end());
    service.clock.advanceSeconds(599);
    signedInBy(await logIn('forgetful', await forgetful.idToken()));
    service.clock.advanceSeconds(1);
    expect(await expectUnavailable('forgetful')).toBe('STATUS');
    forgetful.publish([forgetful.key.jwk]);
    expect(await expectUnavailable('forgetful')).toBe('STATUS');
    service.clock.advanceSeconds(10);
    signedInBy(await logIn('forgetful', await forgetful.idToken()));
  });

  it('are fetched again when the clock was ahead and is set right', async () => {
    const { moved } = issuers;
    service.clock.advanceSeconds(86_400);
    signedInBy(await logIn('moved', await moved.idToken()));
    service.clock.advanceSeconds(-86_400);
    signedInBy(await logIn('moved', await moved.idToken()));
    expect(moved.requests).toEqual([DISCOVERY, JWKS, DISCOVERY, JWKS]);
  });
});

describe('a provider', () => {
  it('that is down is asked once in ten seconds, and fails its own sign-ins alone', async () => {
    const { down } = issuers;
    down.on(DISCOVERY, (request) => request.socket.destroy());
    const idTokens = await Promise.all(Array.from({ length: 20 }, () => down.idToken()));
    const answers = await Promise.all(idTokens.map((idToken) => logIn('down', idToken)));
    for (const answer of answers) expect(answer.data).toEqual({ loginWithOAuth: invalidIdToken });
    expect(await expectUnavailable('down')).toBe('ECONNRESET');
    expect(down.requests).toEqual([DISCOVERY]);
    signedInBy(await logIn('example', await issuers.example.idToken()));
    service.clock.advanceSeconds(10);
    down.on(DISCOVERY, json({ issuer: down.url, jwks_uri: `${down.url}${JWKS}` }));
    signedInBy(await logIn('down', idTokens[0] ?? ''));
  });

  it('that is away lets nobody fill the audit, and keeps nobody out of anything else', async () => {
    const limited = await startTestService({
      environment: {
        OAUTH_PROVIDERS: providers({
          down: { url: issuers.down.url },
          example: { url: issuers.example.url, autoCreate: true },
        }),
        RATE_LIMITING: 'on',
      },
    });
    limited.clock.advanceSeconds((service.clock.now().getTime() - limited.clock.now().getTime()) / 1000);
    issuers.down.on(DISCOVERY, (request) => request.socket.destroy());
    for (let attempt = 1; attempt <= 25; attempt += 1) {
      const idToken = await issuers.down.idToken();
      const answer = await limited.execute(LogInWithOAuth, { input: { provider: 'down', idToken } });
      expect(answer.data).toEqual({ loginWithOAuth: invalidIdToken });
    }
    const where = { data: { path: ['reason'], equals: 'provider_unavailable' } };
    expect(await limited.app.db.auditEvent.count({ where })).toBe(20);
    const idToken = await issuers.example.idToken();
    signedInBy(await limited.execute(LogInWithOAuth, { input: { provider: 'example', idToken } }));
    await limited.close();
  });

  it('that is slow fails within five seconds, however it is slow, and keeps nobody else waiting', async () => {
    const { slow, trickling, silent } = issuers;
    slow.on(DISCOVERY, () => {});
    silent.on(JWKS, (_request, response) => response.writeHead(200).flushHeaders());
    const drops = new Set<NodeJS.Timeout>();
    trickling.on(JWKS, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      drops.add(setInterval(() => response.write(' '), 50));
    });
    const { user, password } = await createPerson(service);

    const waiting = Promise.all((['slow', 'trickling', 'silent'] as const).map(expectUnavailable));
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await signIn(service, { email: user.email, password });
      signedInBy(await logIn('example', await issuers.example.idToken()));
    }

    const reasons = await waiting;
    for (const drop of drops) clearInterval(drop);
    for (const reason of reasons) expect(reason).toMatch(/^(?:TimeoutError|AbortError|ABORT_ERR|ECONNRESET)$/);
  });
});

describe('what a hostile provider answers', () => {
  const url = () => issuers.hostile.url;
  const port = () => {
    const address = neighbour.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const leadsTo = (jwks_uri: () => string) => () => {
    issuers.hostile.on(DISCOVERY, json({ issuer: url(), jwks_uri: jwks_uri() }));
  };

  it.each<[string, string, () => void]>([
    [
      'keys without end',
      'TOO_LARGE',
      () =>
        issuers.hostile.on(JWKS, (_request, response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          const pour = () => {
            while (!response.destroyed && response.write(' '.repeat(65_536)));
            if (!response.destroyed) response.once('drain', pour);
          };
          pour();
        }),
    ],
    [
      'a hundred thousand keys',
      'TOO_LARGE',
      () => issuers.hostile.publish(Array.from({ length: 100_000 }, () => issuers.hostile.key.jwk)),
    ],
    [
      'brackets ten thousand deep',
      'ZodError',
      () =>
        issuers.hostile.on(JWKS, (_request, response) => response.end(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)),
    ],
    ['a page', 'NOT_JSON', () => issuers.hostile.on(JWKS, (_request, response) => response.end('<html>'))],
    ['null', 'ZodError', () => issuers.hostile.on(JWKS, json(null))],
    ['keys that are none', 'ZodError', () => issuers.hostile.publish([{}, { kty: 7 }])],
    [
      'an error',
      'STATUS',
      () => issuers.hostile.on(JWKS, (_request, response) => response.writeHead(500).end(JSON.stringify({ keys: [] }))),
    ],
    [
      'another protocol',
      'STATUS',
      () =>
        issuers.hostile.on(JWKS, ({ socket }) =>
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
        ),
    ],
    [
      'another issuer’s document',
      'ANOTHER_ISSUER',
      () => issuers.hostile.on(DISCOVERY, json({ issuer: issuers.example.url, jwks_uri: `${url()}${JWKS}` })),
    ],
    [
      'a redirect of its document',
      'STATUS',
      () =>
        issuers.hostile.on(DISCOVERY, (_request, response) =>
          response.writeHead(302, { location: `http://127.0.0.1:${port()}/` }).end(),
        ),
    ],
    [
      'a redirect of its keys',
      'STATUS',
      () =>
        issuers.hostile.on(JWKS, (_request, response) =>
          response.writeHead(307, { location: `http://127.0.0.1:${port()}/` }).end(),
        ),
    ],
    ['a neighbour of ours as the place of its keys', 'NO_HTTPS', leadsTo(() => `http://127.0.0.1:${port()}/`)],
    ['a neighbour over https', 'PRIVATE_ADDRESS', leadsTo(() => `https://127.0.0.1:${port()}/`)],
    ['a neighbour by name', 'PRIVATE_ADDRESS', leadsTo(() => `https://localhost:${port()}/`)],
    ['a neighbour in IPv6', 'PRIVATE_ADDRESS', leadsTo(() => `https://[::1]:${port()}/`)],
    ['a neighbour in IPv6 that is IPv4', 'PRIVATE_ADDRESS', leadsTo(() => `https://[::ffff:127.0.0.1]:${port()}/`)],
    ['a neighbour as one number', 'PRIVATE_ADDRESS', leadsTo(() => `https://2130706433:${port()}/`)],
    ['the cloud’s own address', 'PRIVATE_ADDRESS', leadsTo(() => 'https://169.254.169.254/latest/meta-data')],
    ['a private network', 'PRIVATE_ADDRESS', leadsTo(() => 'https://10.0.0.1/')],
    ['a file', 'NO_HTTPS', leadsTo(() => 'file:///etc/passwd')],
    ['credentials', 'NO_URL', leadsTo(() => url().replace('http://', 'http://user:password@'))],
    ['no URL', 'NO_URL', leadsTo(() => 'keys')],
  ])('is refused: %s', async (_what, reason, misbehave) => {
    const { hostile } = issuers;
    hostile.on(DISCOVERY, json({ issuer: hostile.url, jwks_uri: `${hostile.url}${JWKS}` }));
    hostile.publish([hostile.key.jwk]);
    service.clock.advanceSeconds(600);
    misbehave();
    expect(await expectUnavailable('hostile')).toBe(reason);
    expect(calls).toBe(0);
  });

  it.each<[string, () => object]>([
    ['a secret in place of a public key', () => ({ kty: 'oct', kid: issuers.hostile.key.jwk.kid, k: 'c2VjcmV0' })],
    ['a key of another use', () => ({ ...issuers.hostile.key.jwk, use: 'enc' })],
    ['a key off the curve', () => ({ ...issuers.hostile.key.jwk, y: issuers.hostile.key.jwk.x })],
    ['a key without numbers', () => ({ kty: 'EC', crv: 'P-256', kid: issuers.hostile.key.jwk.kid })],
    ['no key', () => ({ kty: 'EC', kid: 'another' })],
  ])('is refused: %s', async (_what, keyOf) => {
    const { hostile } = issuers;
    hostile.on(DISCOVERY, json({ issuer: hostile.url, jwks_uri: `${hostile.url}${JWKS}` }));
    hostile.publish([keyOf()]);
    service.clock.advanceSeconds(600);
    await expectRefusal('hostile', 'id_token_key');
  });
});
