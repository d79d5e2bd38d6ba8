import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import type { SignedIn } from '../auth/signed-in.ts';
import { loadViewer, type Viewer } from '../auth/viewer.ts';
import type { HookRequest } from '../hooks.ts';
import type { RefreshCookie } from './refresh-cookie.ts';

/** What every resolver gets: the app, who asks from where, and the way to answer with a cookie. */
export interface Context {
  readonly app: App;
  readonly requestId: string;
  readonly client: Client;
  /** What hooks are told of the request. */
  readonly hookRequest: HookRequest;
  /** What the Authorization header carried; null when there was none. */
  readonly bearer: string | null;
  readonly refreshCookie: RefreshCookie;
  /** Puts `Retry-After` on the answer. */
  hintRetryAfter(seconds: number): void;
  /** Looked up once, when first asked for: public operations cost no query and survive a bad bearer. */
  viewer(): Promise<Viewer | null>;
  /** Whether the look-up has been made and found somebody. */
  isAuthenticated(): boolean;
  /** Who the look-up has found; null when it found nobody, and when it has not been made. */
  knownViewerId(): string | null;
  /** Whose session this very request opened or refreshed; it is the current one even without a bearer. */
  opened: SignedIn | null;
}

type ContextParts = Pick<Context, 'app' | 'hookRequest' | 'bearer' | 'refreshCookie' | 'hintRetryAfter'>;

export function createContext(parts: ContextParts): Context {
  let lookup: Promise<Viewer | null> | undefined;
  let found: Viewer | null = null;
  return {
    ...parts,
    requestId: parts.hookRequest.id,
    client: parts.hookRequest.client,
    opened: null,
    viewer() {
      lookup ??= lookUp();
      return lookup;
    },
    isAuthenticated: () => found !== null,
    knownViewerId: () => found?.user.id ?? null,
  };

  async function lookUp(this: void): Promise<Viewer | null> {
    found = parts.bearer === null ? null : await loadViewer(parts.app, parts.bearer);
    return found;
  }
}

const BEARER = /^bearer +(\S+)$/i;

/**
 * The token of an Authorization header, or null without one. A header of another scheme or shape was sent all the
 * same, and names nobody: the empty token.
 */
export function readBearer(authorization: string | null | undefined): string | null {
  if (authorization === null || authorization === undefined) return null;
  return BEARER.exec(authorization.trim())?.[1] ?? '';
}
