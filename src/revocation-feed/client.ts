import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';

// For services that verify access tokens offline. Needs nothing but jose, so that it can be copied to where it is used.

export interface RevocationFeedOptions {
  /** Latchkey's PUBLIC_URL. */
  readonly issuer: string;
  /**
   * What to say of a token while nothing is known for certain, because there is no list yet or the last one is too old:
   * `refuse` keeps what was revoked out at the price of everybody, `accept` lets everybody in until tokens expire.
   */
  readonly whenUnknown: 'refuse' | 'accept';
  readonly pollMilliseconds?: number;
  /** How old what is known may be. */
  readonly maxAgeSeconds?: number;
  /** Told of every poll that failed; the next one is made all the same. */
  readonly onError?: (error: unknown) => void;
  /** What lists are judged by, for tests. */
  readonly now?: () => Date;
}

export interface RevocationFeed {
  /** Resolves when everything is known for the first time. */
  readonly ready: Promise<void>;
  /** Whether the access token with these claims, which is verified already, is good no more. */
  isRevoked(claims: { readonly sid?: unknown; readonly sub?: unknown }): boolean;
  close(): void;
}

const PATH = '/.well-known/revocations';
const POLL_MILLISECONDS = 1000;
const MAX_AGE_SECONDS = 5;
const REQUEST_TIMEOUT_MILLISECONDS = 2000;

/**
 * Asks Latchkey every second for what was revoked, and keeps it in memory for as long as a token could outlive it. What is
 * revoked is known here about a second later. Lists that Latchkey did not sign, signed more than a minute ago, or
 * gave to another question, are not believed.
 */
export function followRevocations(options: RevocationFeedOptions): RevocationFeed {
  const { issuer, whenUnknown, onError = () => {}, now = () => new Date() } = options;
  const { pollMilliseconds = POLL_MILLISECONDS, maxAgeSeconds = MAX_AGE_SECONDS } = options;
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer));
  /** What must not be believed any more, by session or user, and until when that has to be kept, in milliseconds. */
  const revoked = new Map<string, number>();
  const { promise: ready, resolve: setReady } = Promise.withResolvers<void>();
  const closing = new AbortController();
  let cursor: string | null = null;
  let knownAt = Number.NEGATIVE_INFINITY;
  let newestIssuedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  void poll();

  return {
    ready,
    isRevoked({ sid, sub }) {
      // Of a token that names nobody nothing can be known.
      if (typeof sid !== 'string' || typeof sub !== 'string') return true;
      if (revoked.has(sid) || revoked.has(sub)) return true;
      const isKnown = performance.now() - knownAt <= maxAgeSeconds * 1000;
      return !isKnown && whenUnknown === 'refuse';
    },
    close() {
      closing.abort();
      clearTimeout(timer);
    },
  };

  async function poll(): Promise<void> {
    try {
      await readToTheEnd();
      setReady();
    } catch (error) {
      if (!closing.signal.aborted) onError(error);
    }
    if (closing.signal.aborted) return;
    timer = setTimeout(poll, pollMilliseconds);
    // Polling is no reason for a process to go on living.
    timer.unref();
  }

  async function readToTheEnd(): Promise<void> {
    const startedAt = performance.now();
    const newestBefore = newestIssuedAt;
    for (let more = true; more; ) {
      const list = readList(await fetchList());
      if (list.more && list.cursor === cursor) throw new Error('the list of revocations goes round in a circle');
      for (const { id, until } of list.entries) revoked.set(id, until);
      cursor = list.cursor;
      more = list.more;
      newestIssuedAt = Math.max(newestIssuedAt, list.issuedAt);
    }
    // The same list again, out of some cache, says nothing of today. Its clock and this one need not agree.
    if (newestIssuedAt > newestBefore) knownAt = startedAt;
    for (const [id, until] of revoked) if (until < now().getTime()) revoked.delete(id);
  }

  async function fetchList(): Promise<JWTPayload> {
    const url = new URL(PATH, issuer);
    if (cursor !== null) url.searchParams.set('cursor', cursor);
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MILLISECONDS)]);
    const response = await fetch(url, { signal, redirect: 'error' });
    const text = await response.text();
    // A cursor that is not understood any more must not be the end of it.
    if (response.status === 400) cursor = null;
    if (!response.ok) throw new Error(`the list of revocations was answered with ${response.status}`);
    const { payload } = await jwtVerify(text, keys, {
      issuer,
      typ: 'revocations+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['iat', 'exp', 'cursor'],
      currentDate: now(),
    });
    // A cache that knows no cursors would make a beginning of what somebody else went on with.
    if (payload.after !== cursor) throw new Error('the list of revocations is the answer to another question');
    return payload;
  }
}

interface List {
  /** In seconds since 1970. */
  readonly issuedAt: number;
  readonly cursor: string;
  readonly more: boolean;
  readonly entries: readonly { readonly id: string; readonly until: number }[];
}

function readList({ iat: issuedAt = 0, cursor, more, keep_seconds: keepSeconds, sessions, users }: JWTPayload): List {
  if (typeof cursor !== 'string' || typeof keepSeconds !== 'number')
    throw new TypeError('this is no list of revocations');
  const entries = [...entriesOf(sessions, 'sid'), ...entriesOf(users, 'sub')];
  return {
    issuedAt,
    cursor,
    more: more === true,
    entries: entries.map(({ id, at }) => ({ id, until: (at + keepSeconds + 1) * 1000 })),
  };
}

function entriesOf(list: unknown, name: 'sid' | 'sub'): readonly { readonly id: string; readonly at: number }[] {
  if (!Array.isArray(list)) throw new TypeError('this is no list of revocations');
  return list.map((entry: Partial<Record<string, unknown>>) => {
    const { [name]: id, at } = entry;
    if (typeof id !== 'string' || typeof at !== 'number') throw new TypeError('this is no list of revocations');
    return { id, at };
  });
}
