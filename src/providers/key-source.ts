import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
  type LocalJWKSet,
} from 'jose';
import type { Logger } from 'pino';
import { z } from 'zod';
import { isPrivateByName, type OAuthProvider } from '../config/oauth-providers.ts';
import { fetchJson } from './fetch-json.ts';

const FRESH_MILLISECONDS = 10 * 60 * 1000;
const COOL_DOWN_MILLISECONDS = 10 * 1000;
/** For both documents together; with what else a sign-in does it stays below five seconds. */
const DEADLINE_MILLISECONDS = 3000;

/** The keys of a provider cannot be had at the moment. Nothing is wrong with the token. */
export class ProviderUnavailableError extends Error {
  override readonly name = 'ProviderUnavailableError';

  constructor() {
    super('the keys of the provider cannot be had');
  }
}

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.string() });
const keysSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

/**
 * The published keys of one provider, kept for ten minutes. Fetched when they are older, and when a token names a key
 * that is not among them; by one request for all who wait, within three seconds, and no more than once in ten seconds
 * whatever came of it. Keys that are too old are not used, however long the provider is away.
 */
export class KeySource {
  readonly #provider: OAuthProvider;
  readonly #now: () => Date;
  readonly #log: Logger;
  #keys: LocalJWKSet | null = null;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;

  constructor(provider: OAuthProvider, { now, log }: { readonly now: () => Date; readonly log: Logger }) {
    this.#provider = provider;
    this.#now = now;
    this.#log = log;
  }

  /**
   * The one key that fits this header.
   *
   * @throws ProviderUnavailableError, or an error of jose's when there is no such key
   */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    if (!this.#isFresh()) await this.#refresh();
    try {
      return await this.#freshKeys()(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#refresh();
    return this.#freshKeys()(header, token);
  }

  #isFresh(): boolean {
    return this.#isWithin(FRESH_MILLISECONDS, this.#fetchedAt);
  }

  /** What is ahead of the clock, because that was set back, is not within any time. */
  #isWithin(milliseconds: number, instant: number): boolean {
    const age = this.#now().getTime() - instant;
    return age >= 0 && age < milliseconds;
  }

  #freshKeys(): LocalJWKSet {
    if (this.#keys === null || !this.#isFresh()) throw new ProviderUnavailableError();
    return this.#keys;
  }

  async #refresh(): Promise<void> {
    if (this.#running === null && !this.#isWithin(COOL_DOWN_MILLISECONDS, this.#attemptedAt)) {
      this.#attemptedAt = this.#now().getTime();
      this.#running = this.#fetch().finally(() => {
        this.#running = null;
      });
    }
    await this.#running;
  }

  async #fetch(): Promise<void> {
    try {
      this.#keys = createLocalJWKSet(await fetchKeys(this.#provider, AbortSignal.timeout(DEADLINE_MILLISECONDS)));
      this.#fetchedAt = this.#now().getTime();
    } catch (error) {
      // Not the error itself: what a provider answered has no place in the log.
      this.#log.warn(
        { provider: this.#provider.name, reason: reasonOf(error) },
        'the keys of a provider cannot be had',
      );
    }
  }
}

async function fetchKeys(provider: OAuthProvider, signal: AbortSignal): Promise<JSONWebKeySet> {
  const url = provider.jwksUri ?? (await discoverKeys(provider, signal));
  return keysSchema.parse(await fetchFrom(provider, url, signal));
}

/** @see OpenID Connect Discovery 1.0 §4.3: a document that names another issuer must not be used */
async function discoverKeys(provider: OAuthProvider, signal: AbortSignal): Promise<string> {
  const url = `${provider.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const discovered = discoverySchema.parse(await fetchFrom(provider, url, signal));
  if (discovered.issuer !== provider.issuer) throw new UnusableDocumentError('ANOTHER_ISSUER');
  return discovered.jwks_uri;
}

/**
 * Private addresses and plain http only where the operator wrote the host and port himself: what a provider answers must
 * not lead us to a neighbour of ours.
 */
function fetchFrom(provider: OAuthProvider, address: string, signal: AbortSignal): Promise<unknown> {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '') throw new UnusableDocumentError('NO_URL');
  const isWritten = [provider.issuer, provider.jwksUri ?? provider.issuer].some(
    (written) => new URL(written).origin === url.origin,
  );
  if (url.protocol !== 'https:' && !(isWritten && url.protocol === 'http:'))
    throw new UnusableDocumentError('NO_HTTPS');
  const privateAllowed = isWritten && (provider.privateNetwork || isPrivateByName(url.hostname));
  return fetchJson(url, { signal, privateAllowed });
}

class UnusableDocumentError extends Error {
  override readonly name = 'UnusableDocumentError';
  readonly code: 'ANOTHER_ISSUER' | 'NO_URL' | 'NO_HTTPS';

  constructor(code: UnusableDocumentError['code']) {
    super('the discovery document cannot be used');
    this.code = code;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
