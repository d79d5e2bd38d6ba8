import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { signRevocationList } from '../../src/crypto/revocation-list.ts';
import { generateSigningKey, openSigningKey } from '../../src/crypto/signing-keys.ts';
import {
  followRevocations,
  type RevocationFeed,
  type RevocationFeedOptions,
} from '../../src/revocation-feed/client.ts';
import { Logout } from '../sessions/operations.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { DeleteUser } from '../users/operations.ts';

const followed: RevocationFeed[] = [];
const servers: Server[] = [];

afterEach(() => {
  for (const feed of followed.splice(0)) feed.close();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

function follow(options: Partial<RevocationFeedOptions> & Pick<RevocationFeedOptions, 'issuer'>): RevocationFeed {
  const feed = followRevocations({ whenUnknown: 'refuse', ...options });
  followed.push(feed);
  return feed;
}

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a neighbour that verifies access tokens by itself', () => {
  let service: TestService;
  let admin: SignedInPerson;

  beforeAll(async () => {
    service = await startTestService();
    admin = await signIn(service, administrator);
  });

  afterAll(() => service.close());

  /** All it has of Latchkey are the keys and the list. */
  async function startNeighbour(): Promise<(accessToken: string) => Promise<number>> {
    const issuer = service.app.issuer.url;
    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer));
    // The service's clock stands still, so its lists seem to be the same over and over.
    const feed = follow({ issuer, now: service.clock.now, maxAgeSeconds: 600 });
    const server = createServer(async ({ headers }, response) => {
      const token = headers.authorization?.replace('Bearer ', '') ?? '';
      const options = {
        issuer,
        audience: issuer,
        typ: 'at+jwt',
        algorithms: ['ES256'],
        currentDate: service.clock.now(),
      };
      const { payload } = await jwtVerify(token, keys, options);
      response.writeHead(feed.isRevoked(payload) ? 401 : 200).end();
    });
    const url = await listening(server);
    await feed.ready;
    return async (accessToken) => (await fetch(url, { headers: { authorization: `Bearer ${accessToken}` } })).status;
  }

  const ends: readonly (readonly [string, (person: SignedInPerson) => Promise<unknown>])[] = [
    ['signed out', ({ refreshToken }) => service.execute(Logout, { input: { refreshToken } })],
    ['was deleted', ({ userId }) => service.execute(DeleteUser, { input: { id: userId } }, admin)],
  ];

  it.each(ends)('refuses within 5 seconds who %s, and nobody else', async (_, end) => {
    const ask = await startNeighbour();
    const { user, password } = await createPerson(service);
    const person = await signIn(service, { email: user.email, password });
    expect(await ask(person.accessToken)).toBe(200);

    await end(person);

    await vi.waitFor(async () => expect(await ask(person.accessToken)).toBe(401), { timeout: 5000, interval: 50 });
    expect(await ask(admin.accessToken)).toBe(200);
  });

  it('knows all that had been revoked before it started', async () => {
    const { user, password } = await createPerson(service);
    const person = await signIn(service, { email: user.email, password });
    await service.execute(Logout, { input: { refreshToken: person.refreshToken } });
    service.clock.advanceSeconds(3600);
    const ask = await startNeighbour();
    expect(await ask(person.accessToken)).toBe(401);
  });
});

const SECRET_KEYS = [Buffer.alloc(32, 1)] as const;
const key = await openSigningKey(SECRET_KEYS, await generateSigningKey(SECRET_KEYS, new Date()));
const foreignKey = await openSigningKey(SECRET_KEYS, await generateSigningKey(SECRET_KEYS, new Date()));
const signedIn = { sid: 'a session', sub: 'a user' };
const ended = { sid: 'an ended session', sub: 'a user' };

interface Asked {
  readonly issuer: string;
  /** The cursor that was asked with. */
  readonly after: string | null;
}

interface ListOptions extends Asked {
  readonly issuedAt?: Date;
  readonly cursor?: string;
  readonly more?: boolean;
  readonly sessions?: readonly string[];
  readonly signedBy?: typeof key;
}

function list({
  issuer,
  after,
  issuedAt = new Date(),
  cursor = '1',
  more = false,
  sessions = [ended.sid],
  signedBy = key,
}: ListOptions) {
  const entries = sessions.map((id) => ({ id, revokedAt: issuedAt }));
  return signRevocationList(signedBy, {
    issuer,
    issuedAt,
    after,
    cursor,
    more,
    keepSeconds: 60,
    sessions: entries,
    users: [],
  });
}

/** Latchkey, as far as a follower sees it; each poll is answered by this. */
async function startIssuer(answer: (asked: Asked) => Promise<string> | number): Promise<string> {
  const server = createServer(async ({ url = '' }, response) => {
    if (url === '/.well-known/jwks.json') return void response.end(JSON.stringify({ keys: [key.publicJwk] }));
    const answered = answer({ issuer, after: new URL(url, issuer).searchParams.get('cursor') });
    if (typeof answered === 'number') return void response.writeHead(answered).end();
    response.end(await answered);
  });
  const issuer = await listening(server);
  return issuer;
}

function rejectedPoll(
  options: Omit<RevocationFeedOptions, 'onError'>,
): Promise<{ feed: RevocationFeed; error: unknown }> {
  return new Promise((resolve) => {
    const feed: RevocationFeed = follow({ ...options, onError: (error) => resolve({ feed, error }) });
  });
}

describe('followRevocations', () => {
  it('refuses what is on the list, and nothing else', async () => {
    const feed = follow({ issuer: await startIssuer(list) });
    await feed.ready;
    expect([feed.isRevoked(signedIn), feed.isRevoked(ended)]).toEqual([false, true]);
  });

  it.each([{}, { sid: 'a session' }, { sub: 'a user' }, { sid: 1, sub: 'a user' }])(
    'refuses a token that names nobody: %j',
    async (claims) => {
      const feed = follow({ issuer: await startIssuer(list), whenUnknown: 'accept' });
      await feed.ready;
      expect(feed.isRevoked(claims)).toBe(true);
    },
  );

  it.each([
    ['signed by somebody else', (asked: Asked) => list({ ...asked, signedBy: foreignKey })],
    ['of another issuer', (asked: Asked) => list({ ...asked, issuer: 'https://somebody.example' })],
    ['of more than a minute ago', (asked: Asked) => list({ ...asked, issuedAt: new Date(Date.now() - 62_000) })],
    [
      'that is an access token',
      ({ issuer }: Asked) =>
        new SignJWT({ cursor: '1' })
          .setProtectedHeader({ typ: 'at+jwt', alg: 'ES256', kid: key.id })
          .setIssuer(issuer)
          .setIssuedAt()
          .setExpirationTime('1m')
          .sign(key.privateKey),
    ],
    [
      'without entries',
      ({ issuer }: Asked) =>
        new SignJWT({ cursor: '1', keep_seconds: 1 })
          .setProtectedHeader({ typ: 'revocations+jwt', alg: 'ES256', kid: key.id })
          .setIssuer(issuer)
          .setIssuedAt()
          .setExpirationTime('1m')
          .sign(key.privateKey),
    ],
    [
      'that answers another question, out of a cache that knows no cursors',
      (asked: Asked) => list({ ...asked, after: '5' }),
    ],
    ['that goes round in a circle', (asked: Asked) => list({ ...asked, more: true })],
    ['that is a page', async () => '<html>'],
    ['that is not there', () => 404],
  ])('believes no list %s', async (_, answer) => {
    const issuer = await startIssuer(answer);
    const closed = await rejectedPoll({ issuer, whenUnknown: 'refuse' });
    const open = await rejectedPoll({ issuer, whenUnknown: 'accept' });
    expect([closed.feed.isRevoked(signedIn), open.feed.isRevoked(signedIn)]).toEqual([true, false]);
    expect(closed.error).toBeInstanceOf(Error);
  });

  it.each([
    ['refuse', true],
    ['accept', false],
  ] as const)('is told to %s while nothing is known, and what was revoked stays so', async (whenUnknown, isRefused) => {
    let isUp = true;
    const issuer = await startIssuer((asked) => (isUp ? list(asked) : 503));
    const failed = vi.fn();
    const feed = follow({ issuer, whenUnknown, maxAgeSeconds: 0.2, pollMilliseconds: 20, onError: failed });
    await feed.ready;
    isUp = false;
    await vi.waitFor(() => expect(failed.mock.calls.length).toBeGreaterThan(10), { timeout: 20_000 });
    expect([feed.isRevoked(signedIn), feed.isRevoked(ended)]).toEqual([isRefused, true]);
    isUp = true;
    await vi.waitFor(() => expect(feed.isRevoked(signedIn)).toBe(false), { timeout: 3000 });
  });

  it('takes the same list over and over for an old one', async () => {
    const issuedAt = new Date();
    const issuer = await startIssuer((asked) => list({ ...asked, issuedAt }));
    const feed = follow({ issuer, maxAgeSeconds: 2, pollMilliseconds: 20 });
    await feed.ready;
    expect(feed.isRevoked(signedIn)).toBe(false);
    await vi.waitFor(() => expect(feed.isRevoked(signedIn)).toBe(true), { timeout: 20_000 });
  });

  it('reads all parts before it is ready, goes on from the last cursor, and begins anew when that is refused', async () => {
    const asked: (string | null)[] = [];
    const issuer = await startIssuer((question) => {
      asked.push(question.after);
      if (question.after === '2') return 400;
      return question.after === null
        ? list({ ...question, cursor: '1', more: true })
        : list({ ...question, cursor: '2', sessions: ['another'] });
    });
    const feed = follow({ issuer, pollMilliseconds: 20 });
    await feed.ready;
    const another = { ...signedIn, sid: 'another' };
    expect([ended, another, signedIn].map(feed.isRevoked)).toEqual([true, true, false]);
    await vi.waitFor(() => expect(asked.slice(0, 5)).toEqual([null, '1', '2', null, '1']), { timeout: 20_000 });
  });

  it('forgets what no token can have outlived', async () => {
    const start = new Date();
    let seconds = 0;
    const now = () => new Date(start.getTime() + seconds * 1000);
    const issuer = await startIssuer((asked) =>
      list({ ...asked, issuedAt: now(), sessions: seconds === 0 ? [ended.sid] : [] }),
    );
    const feed = follow({ issuer, now, pollMilliseconds: 20 });
    await feed.ready;
    expect(feed.isRevoked(ended)).toBe(true);
    seconds = 63;
    await vi.waitFor(() => expect(feed.isRevoked(ended)).toBe(false), { timeout: 20_000 });
  });
});
